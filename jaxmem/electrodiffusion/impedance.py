"""The answer of a pore in its steady state to a small sinusoidal voltage."""

import dataclasses
from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Complex, Float

from .._numerics.block_tridiagonal import BlockTridiagonal
from .._numerics.ring import ring
from ..electrochemistry import Bath, Species
from ..results import InputError
from ..units import PORE_CURRENT, thermal_voltage
from .command import as_command
from .discretize import discretize
from .ends import End
from .flux import scharfetter_gummel
from .mesh import Mesh, graded
from .moving import Moving
from .newton import Newton
from .pore import Pore
from .solve import solve
from .steric import AbstractSteric

_NEWTON, _BATHS = Newton(), (End(), End())


def impedance(
    pore: Pore,
    v: Float[ArrayLike, ""],
    bath: Bath,
    frequency: Float[ArrayLike, " frequencies"],
    *,
    mesh: Mesh | None = None,
    ends: tuple[End, End] = _BATHS,
    filling: Mapping[Species, ArrayLike] | None = None,
    steric: AbstractSteric | None = None,
    flux: Callable = scharfetter_gummel,
    source: Callable | None = None,
    newton: Newton = _NEWTON,
    throw: bool = True,
) -> Complex[Array, " frequencies"]:
    """The impedance dV/dI [GOhm] of a pore around its steady state, for v + dV e^(2 pi i f t).

    Solves (i omega M + J) dx = f for the changes dx of concentrations and potential, where M dx/dt = -r(x) are the
    equations of `evolve` and J = dr/dx: one complex block-tridiagonal system for each frequency. The current is that of
    ions and displacement; the same at every edge.

    **Arguments:** `v` [mV]: the steady potential; `frequency` (frequencies,) [1/ns = GHz]: positive; all others as for
    `evolve`, but that `source` must vanish in the steady state of `solve`.
    **Raises:** as `solve`.
    **Source:** Macdonald, Phys. Rev. 92, 4 (1953) for a cell between blocking electrodes.
    """
    if mesh is None:
        mesh = graded(pore, bath)
    given = jnp.asarray(frequency, pore.length.dtype)
    if not isinstance(given, Tracer) and not np.all(np.asarray(given) > 0):
        raise InputError("A frequency [GHz] must be positive; the limit at zero is the slope of the steady current.")
    steady = solve(
        pore, v, bath, mesh=mesh, ends=ends, filling=filling, steric=steric, flux=flux, newton=newton, throw=throw
    )
    return _impedance(pore, v, bath, given, mesh, ends, filling, steric, flux, source, steady.concentrations)


@eqx.filter_jit
def _impedance(pore, v, bath, frequency, mesh, ends, filling, steric, flux, source, c) -> Array:
    dtype = c.dtype
    system = discretize(pore, mesh, v, bath, ends, filling=filling, steric=steric, flux=flux)
    system = dataclasses.replace(system, counted=False)
    unit = jnp.asarray(thermal_voltage(bath.temperature), dtype)
    moving = Moving(system, as_command(v, dtype), unit, source)
    zero, none = jnp.zeros((), dtype), jnp.asarray(0)
    c = jnp.where(jnp.isfinite(c) | (system.capacity > 0), c, 0.0)
    x = moving.consistent(c, zero, none)
    still = moving.jacobian(x, zero, zero)
    moved = jax.tree.map(jnp.subtract, moving.jacobian(x, zero, zero + 1.0), still)
    # The rows where the potential is applied, for a change of 1 mV.
    applied = lambda v: eqx.tree_at(lambda s: s.psi, system, jnp.stack([v / unit, zero])).residual(x)
    _, push = jax.jvp(applied, (jnp.asarray(v, dtype),), (jnp.ones((), dtype),))
    z = jnp.asarray(system.valence, dtype)
    ions = lambda x: z @ system.flows(*system.split(x))[:, 0]
    psi = system.species
    polarized = system.dielectric[0] / system.kappa

    closing = [moving.closure(x, zero, zero + shift) for shift in (0.0, 1.0)] if system.ring else None

    def one(f):
        omega = 2.0 * np.pi * f
        matrix = BlockTridiagonal(*(lax.complex(a, omega * b) for a, b in zip(still, moved, strict=True)))
        if closing is not None:
            matrix = ring(matrix, lax.complex(closing[0], omega * (closing[1] - closing[0])))
        dx = matrix.solve(-lax.complex(push, jnp.zeros_like(push)).T).T
        field = polarized * (dx.real[psi, 0] - dx.real[psi, 1]), polarized * (dx.imag[psi, 0] - dx.imag[psi, 1])
        of_ions = [jax.jvp(ions, (x,), (part,))[1] for part in (dx.real, dx.imag)]
        current = lax.complex(of_ions[0] - omega * field[1], of_ions[1] + omega * field[0])
        return lax.reciprocal(current * lax.complex(jnp.asarray(PORE_CURRENT, dtype), zero))

    return jax.vmap(one)(frequency)
