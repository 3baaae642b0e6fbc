"""What is at the two ends of a pore: baths, electrodes, selective contacts."""

import abc
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Species
from ..results import InputError


class AbstractContact(eqx.Module):
    """How the potential meets an end."""

    grounded: ClassVar[bool]

    @abc.abstractmethod
    def layer(self) -> tuple[ArrayLike, ArrayLike]:
        """Capacitance [F/m2] between the applied potential and the end, and charge of the end [e0/nm2]."""


class Held(AbstractContact):
    """The potential at the end is the applied one."""

    grounded = True

    def layer(self) -> tuple[ArrayLike, ArrayLike]:
        """See `AbstractContact`."""
        return 0.0, 0.0


class Stern(AbstractContact):
    """A compact layer, without ions, between the applied potential and the end; and a charge of the end, if any.

    **Arguments:** `capacitance` [F/m2]; `charge` [e0/nm2].
    """

    grounded = False
    capacitance: Float[ArrayLike, ""]
    charge: Float[ArrayLike, ""] = 0.0

    def layer(self) -> tuple[ArrayLike, ArrayLike]:
        """See `AbstractContact`."""
        return self.capacitance, self.charge


class Charged(AbstractContact):
    """An insulating end of given charge, which no potential is applied to.

    **Arguments:** `charge` [e0/nm2].
    """

    grounded = False
    charge: Float[ArrayLike, ""] = 0.0

    def layer(self) -> tuple[ArrayLike, ArrayLike]:
        """See `AbstractContact`."""
        return jnp.zeros_like(jnp.asarray(self.charge)), self.charge


class End(eqx.Module):
    """One end of a pore.

    `End()` is open to a bath at the applied potential; `End(passes=())` is a blocking electrode; `End(passes=(K,))` a
    contact that passes potassium alone, at the concentration of the bath.

    **Arguments:**

    - `passes`: the species that have the concentration of the bath at the end; all by default.
    - `contact`: how the potential meets it: `Held()`, `Stern(capacitance)`, `Charged(charge)`.
    - `inflow`: for species that do not pass, the flux into the pore [mM nm/ns = mol/(m2 s)], zero by default.
    """

    passes: tuple[Species, ...] | None = eqx.field(static=True, default=None)
    contact: AbstractContact = Held()
    inflow: Mapping[Species, Float[Array, ""]] = eqx.field(default_factory=dict)


class Periodic(NamedTuple):
    """Both ends are one place of a pore that repeats, so that what leaves at one enters at the other: `PERIODIC`.

    The potential falls by the applied one from each period to the next. How much there is of every species is given by
    `filling`, or by the bath inside; together with the charge of the pore it must be neutral.
    """

    left: End = End()
    right: End = End()


PERIODIC = Periodic()


def refuse_periodic(ends: tuple[End, End], what: str) -> None:
    """Refuses periodic ends for what needs two baths.

    **Raises:** `InputError`.
    """
    if isinstance(ends, Periodic):
        raise InputError(f"{what} must have two baths, but the ends are PERIODIC; give a pair of `End`s.")
