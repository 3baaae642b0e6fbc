"""From rates to energies: the thermodynamically closed graph that is nearest to one of free rates."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..electrochemistry import Bath
from ..kinetics import AbstractScheme, EnergyScheme
from ..rates import attempt_rate
from ..units import thermal_voltage


def closed(scheme: AbstractScheme, temperature: float) -> EnergyScheme:
    """The same graph given by energies, closed whatever they are; fits may then move them freely.

    A closed set of rates comes back as it is. Of one that is open the state energies are those of least squares,
    minimizing the sum over edges of (dG + ln(kf/kb))^2, which spreads what does not close over the edges of its cycle;
    the geometric mean of the two rates of every edge stays. Laws must be powers of the concentrations that the exchange
    table names, and exponential in the voltage, or the result holds at 0 mV and 1 M only.

    **Arguments:** `temperature` [K]: where the energies hold.
    **Source:** Pan et al., J. Theor. Biol. 481, 10 (2019) (rates to energies as a linear problem in their logarithms).
    """
    species = dict.fromkeys(s for row in scheme.exchange for (s, _), _ in row)
    molar = dict.fromkeys(species, 1e3)
    bath = Bath(molar, molar, temperature)
    step = thermal_voltage(bath.temperature)  # d/du = step d/dv

    def logs(v):
        return jnp.stack([jnp.log(rates) for rates in scheme.rates(v, bath)])

    zero = jnp.zeros_like(bath.temperature)
    values, slopes = (np.asarray(x) for x in jax.jvp(logs, (zero,), (step,)))
    # What is taken up from inside brings its potential along.
    inner = np.zeros((2, len(scheme.edges)))
    for e, row in enumerate(scheme.exchange):
        for (s, inside), count in row:
            if inside:
                inner[0 if count < 0 else 1, e] += abs(count) * s.z
    reaction = np.zeros(len(scheme.edges)) if scheme.reaction is None else np.asarray(scheme.reaction, float)
    values = values - np.log(float(attempt_rate(temperature))) - np.stack([np.zeros_like(reaction), reaction])
    energy, barrier = _heights(scheme, values)
    charge, barrier_charge = _heights(scheme, slopes - inner)
    return EnergyScheme(
        scheme.states,
        scheme.edges,
        scheme.exchange,
        energy=energy,
        charge=charge,
        barrier=barrier,
        barrier_charge=barrier_charge,
        reference=temperature,
        reaction=reaction if np.any(reaction) else None,
    )


def _heights(
    scheme: AbstractScheme, values: Float[np.ndarray, "2 edges"]
) -> tuple[Float[np.ndarray, " states-1"], Float[np.ndarray, " edges"]]:
    """Heights of the states but the first, and of the tops between them, from what leads up to a top from either
    side."""
    forward, backward = values
    ends = np.zeros((2, len(scheme.edges), len(scheme.states)))
    for e, edge in enumerate(scheme.edges):
        for side, state in enumerate(edge):
            ends[side, e, state] = 1.0
    found = np.linalg.lstsq((ends[1] - ends[0])[:, 1:], backward - forward, rcond=None)[0]
    heights = np.append(0.0, found)
    return found, 0.5 * ((ends[0] + ends[1]) @ heights - forward - backward)
