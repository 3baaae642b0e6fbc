"""SGLT1 of the rabbit: two Na and a sugar, in six states, with slip.

The empty carrier C has two negative charges and turns from one side to the other. Outside it binds two Na at once
(1 - 2), then a sugar (2 - 3); loaded it crosses without charge (3 - 4), lets go of the sugar (4 - 5) and of Na (5 - 6)
and returns (6 - 1). With Na alone it crosses slowly, too (2 - 5): the slip that is its leak current.

**Published:** the scheme, and the constants of `PUBLISHED`, which close its cycles to 0.005 kT only, as they are
rounded. **Ours:** `CLOSED`, which has the values of k54 and k52 that close them exactly (12190.476... instead of 12190
per M and s, 9.142857e-4 instead of 9.1e-4 per s), so that nothing flows at equilibrium. With 100 mM Na and 1 mM sugar
outside and 10 mM Na inside, a carrier of `PUBLISHED` takes up 6.987 sugars per second at -150 mV and 20 C (a number of
the reference cases, not of the paper).

**Source:** Eskandari, Wright & Loo, Kinetics of the reverse mode of the Na+/glucose cotransporter, J. Membr. Biol. 204,
23 (2005), doi:10.1007/s00232-005-0743-x, constants of Fig. 6 as tabulated in gawthrop/GawPan20; the scheme is that of
Parent, Supplisson, Loo & Wright, J. Membr. Biol. 125, 63 (1992).
"""

from collections.abc import Mapping
from typing import Any

from ..electrochemistry import Na, glc
from ..kinetics import Scheme, scheme
from ..rates import AbstractRate, Binding, Charged, Constant, MassAction
from ..transport import Transporter

TEMPERATURE = 293.15  # K
STATES = ("C outside", "CNa2 outside", "CNa2S outside", "CNa2S inside", "CNa2 inside", "C inside")

#: Rates at 0 mV [1/ms], at 1 mM of what binds.
PUBLISHED = {
    **{"k12": 8e-5, "k21": 0.5, "k23": 0.1, "k32": 0.02, "k34": 0.05, "k43": 0.05, "k45": 0.8, "k54": 0.01219},
    **{"k56": 0.01, "k65": 4.5e-6, "k61": 0.003, "k16": 0.35, "k25": 3e-4, "k52": 9.1e-7},
}
_AROUND = 8e-5 * 0.01 * 0.003 / (0.5 * 4.5e-6 * 0.35)  # forward over backward, of the steps that both cycles share
CLOSED = PUBLISHED | {"k54": _AROUND * 0.1 * 0.05 * 0.8 / (0.02 * 0.05), "k52": _AROUND * 3e-4}


def graph(
    k: Mapping[str, Any],
    *,
    alpha1: Any = 0.3,
    alpha2: Any = 0.0,
    delta: Any = 0.7,
    z: Any = -2.0,
    n: int = 2,
) -> Scheme:
    """The graph, from all rates by their names; its arguments are those of `model`."""
    one, two, three, four, five, six = STATES

    def step(there: AbstractRate, back: AbstractRate, moved: Any) -> tuple[Charged, Charged]:
        """Half of the charge that moves outward in a step is in either rate."""
        return Charged(there, 0.5 * moved), Charged(back, -0.5 * moved)

    loaded = -(z + n) * delta
    edges = {
        (one, two): step(MassAction(k["k12"], outside={Na: n}), Constant(k["k21"]), -n * alpha1),
        (two, three): (Binding(k["k23"], glc, False), Constant(k["k32"])),
        (three, four): step(Constant(k["k34"]), Constant(k["k43"]), loaded),
        (four, five): (Constant(k["k45"]), Binding(k["k54"], glc, True)),
        (five, six): step(Constant(k["k56"]), MassAction(k["k65"], inside={Na: n}), -n * alpha2),
        (six, one): step(Constant(k["k61"]), Constant(k["k16"]), z * delta),
        (two, five): step(Constant(k["k25"]), Constant(k["k52"]), loaded),
    }
    exchange = {
        (one, two): {(Na, False): -n},
        (two, three): {(glc, False): -1},
        (four, five): {(glc, True): 1},
        (five, six): {(Na, True): n},
    }
    return scheme(edges, exchange=exchange, states=STATES)


def model(
    *,
    k12: float = CLOSED["k12"],
    k21: float = CLOSED["k21"],
    k23: float = CLOSED["k23"],
    k32: float = CLOSED["k32"],
    k34: float = CLOSED["k34"],
    k43: float = CLOSED["k43"],
    k45: float = CLOSED["k45"],
    k54: float = CLOSED["k54"],
    k56: float = CLOSED["k56"],
    k65: float = CLOSED["k65"],
    k61: float = CLOSED["k61"],
    k16: float = CLOSED["k16"],
    k25: float = CLOSED["k25"],
    k52: float = CLOSED["k52"],
    alpha1: float = 0.3,
    alpha2: float = 0.0,
    delta: float = 0.7,
    z: float = -2.0,
    n: int = 2,
    number: float = 1.0,
) -> Transporter:
    """The transporter, whose state is the occupancy of `STATES`; `model(**PUBLISHED)` has the rounded constants.

    It can reverse. Closed in voltage where alpha1 + alpha2 + delta = 1.

    **Arguments:** rates at 0 mV: binding of Na outside and inside `k12`, `k65` [1/(mM^n ms)]; of sugar outside and
    inside `k23`, `k54` [1/(mM ms)]; the others [1/ms]. `alpha1`, `alpha2`: fractions of the field that Na passes
    through on the way to its sites, from outside and from inside; `delta`: that in which the carrier moves; `z` [e0]:
    charge of the empty carrier; `n`: Na per turn; `number` of transporters.
    """
    rates = {"k12": k12, "k21": k21, "k23": k23, "k32": k32, "k34": k34, "k43": k43, "k45": k45, "k54": k54}
    rates |= {"k56": k56, "k65": k65, "k61": k61, "k16": k16, "k25": k25, "k52": k52}
    return Transporter(graph(rates, alpha1=alpha1, alpha2=alpha2, delta=delta, z=z, n=n), number)
