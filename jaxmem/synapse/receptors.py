"""Receptors as state graphs that transmitter binds to, from the solution outside: `gating.Markov` of `rates.Binding`.

Nothing is open without transmitter in the bath. Rates are those fitted to patch-clamp recordings of rat hippocampus by
Destexhe, Mainen and Sejnowski.
"""

from ..electrochemistry import Species, gaba, glu
from ..gating import Markov
from ..kinetics import scheme
from ..rates import AbstractRate, Binding, Constant

Laws = tuple[AbstractRate, AbstractRate]


def _binding(species: Species, on: float, off: float) -> Laws:
    return Binding(on, species, inside=False), Constant(off)


def _constant(forward: float, backward: float) -> Laws:
    return Constant(forward), Constant(backward)


def ampa_receptor() -> Markov:
    """The six-state AMPA receptor: two glutamates bind, and desensitization follows each binding.

    After 1 ms of 1 mM glutamate it is open to about 0.75 and closes within a few ms, faster than it recovers.

    **Source:** Destexhe, Mainen & Sejnowski, in Methods in Neuronal Modeling, 2nd ed. (1998), after Patneau & Mayer
    1991; ModelDB 18198 (13 /mM/ms; 0.0059, 86, 0.9, 0.064, 2.7, 0.2 /ms).
    """
    desensitizing = _constant(0.9, 0.064)
    return Markov(
        scheme(
            {
                ("C0", "C1"): _binding(glu, 13.0, 0.0059),
                ("C1", "C2"): _binding(glu, 13.0, 86.0),
                ("C1", "D1"): desensitizing,
                ("C2", "D2"): desensitizing,
                ("C2", "O"): _constant(2.7, 0.2),
            }
        ),
        ("O",),
    )


def nmda_receptor() -> Markov:
    """The five-state NMDA receptor: two glutamates bind, then it opens or desensitizes, slowly. Block is not in it.

    **Source:** Destexhe, Mainen & Sejnowski 1998, after Lester & Jahr 1992; ModelDB 18198 (5 /mM/ms; 0.0129, 0.0084,
    0.0068, 0.0465, 0.0738 /ms).
    """
    binding = _binding(glu, 5.0, 0.0129)
    return Markov(
        scheme(
            {
                ("C0", "C1"): binding,
                ("C1", "C2"): binding,
                ("C2", "D"): _constant(0.0084, 0.0068),
                ("C2", "O"): _constant(0.0465, 0.0738),
            }
        ),
        ("O",),
    )


def gaba_a_receptor() -> Markov:
    """The five-state GABA-A receptor, which opens with one GABA bound, and far more with two.

    **Source:** Destexhe, Mainen & Sejnowski 1998, after Busch & Sakmann 1990; ModelDB 18198 (20 and 10 /mM/ms; 4.6,
    9.2, 3.3, 9.8, 10.6, 0.41 /ms).
    """
    return Markov(
        scheme(
            {
                ("C0", "C1"): _binding(gaba, 20.0, 4.6),
                ("C1", "C2"): _binding(gaba, 10.0, 9.2),
                ("C1", "O1"): _constant(3.3, 9.8),
                ("C2", "O2"): _constant(10.6, 0.41),
            }
        ),
        ("O1", "O2"),
    )
