"""What is found along a pore over time."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ..electrochemistry import Species
from ..results import RESULTS
from ..units import PORE_CURRENT
from .mesh import PER_NM3
from .moving import Moving, Unknowns


class Course(eqx.Module):
    """A pore in time.

    - `t` (samples,) [ns]; `x` (nodes,) [nm], from the inside; `potential` (samples, nodes) [mV], zero outside.
    - `concentrations` (samples, species, nodes) [mM], as in `Profile`.
    - `current` (samples, 2) [pA]: outward, with the displacement current, at the first edge and at the last; the two
      are equal where no charge comes from `source`.
    - `amount` (samples, species) [mM nm3]: what there is of each ion, at all nodes.
    - `charge` (samples, 2) [e0]: of the two ends, what is needed to hold the potential there.
    - `steps` (samples,): how many steps were taken until then; `result`: a code.

    At a jump of the command every value is that just after it; the jump itself moves a finite charge at once, which
    is in `charge` and not in `current`.
    """

    t: Float[Array, " samples"]
    x: Float[Array, " nodes"]
    potential: Float[Array, "samples nodes"]
    concentrations: Float[Array, "samples species nodes"]
    current: Float[Array, "samples 2"]
    amount: Float[Array, "samples species"]
    charge: Float[Array, "samples 2"]
    steps: Int[Array, " samples"]
    result: RESULTS
    species: tuple[Species, ...] = eqx.field(static=True)

    def __getitem__(self, species: Species) -> Float[Array, "samples nodes"]:
        """The concentration of a species along the pore at every sample [mM]."""
        return self.concentrations[..., self.species.index(species), :]


def current(moving: Moving, x: Unknowns, t: Float[Array, ""]) -> Float[Array, " 2"]:
    """The current outward along the first edge and the last [pA], of ions and displacement."""
    system = moving.system
    c, y = system.split(x)
    _, dpsi = moving.rate(x, t, moving.command.passed(t))
    ends = jnp.array([0, -1])
    z = jnp.asarray(system.valence, x.dtype)
    ions = z @ system.flows(c, y)[:, ends]
    displacement = (system.dielectric * (dpsi[:-1] - dpsi[1:]))[ends] / system.kappa
    return PORE_CURRENT * (ions + displacement)


def end_charge(moving: Moving, x: Unknowns) -> Float[Array, " 2"]:
    """The charge of the two ends [e0]: what leaves them as a field, less the charge at their nodes."""
    system = moving.system
    c, y = system.split(x)
    z = jnp.asarray(system.valence, x.dtype)
    ends = jnp.array([0, -1])
    field = (system.dielectric * (y[0, :-1] - y[0, 1:]))[ends] / system.kappa
    here = system.charge[ends] + z @ (system.capacity * c)[:, ends]
    return (field * jnp.asarray([1.0, -1.0], x.dtype) - here) / PER_NM3
