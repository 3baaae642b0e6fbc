"""The verb: a pore between two baths in its steady state."""

from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Bath, Species
from ..results import RESULTS, InputError, raise_failures
from ..units import thermal_voltage
from .discretize import discretize
from .ends import End
from .flux import scharfetter_gummel
from .mesh import PER_NM3, Mesh, graded
from .newton import Newton, damped, opening, steady
from .pore import Pore
from .profile import Profile, net_flux
from .steric import AbstractSteric
from .system import System

_STRIDE = 8  # fine meshes begin from the solution on every eighth node
_NEWTON, _BATHS = Newton(), (End(), End())
PER_PARTICLE = 1.0 / PER_NM3  # particles in 1 mM nm3


def solve(
    pore: Pore,
    v: Float[ArrayLike, ""],
    bath: Bath,
    *,
    mesh: Mesh | None = None,
    ends: tuple[End, End] = _BATHS,
    filling: Mapping[Species, ArrayLike] | None = None,
    steric: AbstractSteric | None = None,
    flux: Callable = scharfetter_gummel,
    newton: Newton = _NEWTON,
    throw: bool = True,
) -> Profile:
    """The steady state of a pore, as `Profile`: potential, concentrations and currents.

    Solves d(A J)/dx = 0 with J = -D (dc/dx + z c dpsi/dx), and d(A eps dpsi/dx)/dx = -A F (sum z c + X)/eps0, by finite
    volumes with Scharfetter-Gummel fluxes: conservative, never negative, of second order in the mesh. To map over
    voltages, baths or pores, `jax.vmap` it; gradients by all of them are exact.

    **Arguments:**

    - `v`: potential at x = 0, the inside, minus that at the outside [mV].
    - `bath`: what is inside and outside [mM]; species of the bath that the pore does not list are kept out of it.
    - `mesh`: `graded(pore, bath)` by default, about 257 nodes.
    - `ends`: open to the baths by default; see `End`. `PERIODIC`: both are one place.
    - `filling`: mean concentration [mM] of species that no end lets out, in a periodic pore of all; that of the inside
      by default.
    - `steric`: what the volume of ions adds to their energy, `Bikerman` or none.
    - `flux`: the flux law; `newton`: how the equations are solved.
    - `throw`: whether to raise where no steady state was found; else the profile is NaN, with the code in `result`.

    **Raises:** `InputError` for a bath that is not neutral or lacks a species, and in float32 without a tolerance;
    `RuntimeError` where no steady state is found.
    **Source:** Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969); Eisenberg, J. Membr. Biol. 150, 1
    (1996).
    """
    if mesh is None:
        mesh = graded(pore, bath)
    refuse(pore, bath, newton)
    dtype = pore.length.dtype
    mesh = jax.tree.map(lambda leaf: leaf.astype(dtype), mesh)
    profile = _solve(pore, jnp.asarray(v, dtype), bath, mesh, ends, filling, steric, flux, newton)
    if throw and not isinstance(profile.steps, Tracer):
        raise_failures(profile.result)
    return profile


@eqx.filter_jit
def _solve(pore: Pore, v, bath: Bath, mesh: Mesh, ends, filling, steric, flux, newton):
    build = lambda mesh: discretize(pore, mesh, v, bath, ends, filling=filling, steric=steric, flux=flux)
    system = build(mesh)
    finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(system)]))
    safe = jax.tree.map(lambda leaf: jnp.where(finite, leaf, 1.0), system)
    start = opening(safe)
    if newton.coarse is not None and mesh.nodes >= newton.coarse:
        coarse, kept = mesh.every(_STRIDE)
        few = jax.tree.map(lambda leaf: jnp.where(finite, leaf, 1.0), build(coarse))
        found = damped(lax.stop_gradient(few), lax.stop_gradient(opening(few)), 1e-3, newton.most)
        between = _between(lax.stop_gradient(mesh.positions(pore)), kept, found.y)
        start = jnp.where(found.converged, between, start)
    x, converged, steps = steady(safe, start, newton)
    solvable = system.solvable(system.total)
    code = RESULTS.where(converged > 0, RESULTS.successful, RESULTS.pore_unsolved)
    code = RESULTS.where(finite, RESULTS.where(solvable, code, RESULTS.pore_charged), RESULTS.nonfinite_input)
    return _profile(safe, mesh.positions(pore), x, code, steps, bath, pore)


def _between(x: Float[Array, " nodes"], kept: np.ndarray, y: Float[Array, "fields few"]) -> Array:
    """Linear interpolation from the nodes that a coarser mesh kept."""
    last = np.clip(np.searchsorted(kept, np.arange(x.shape[0])), 1, None)
    begin, end = kept[last - 1], kept[last]
    weight = (x - x[begin]) / (x[end] - x[begin])
    return y[:, last - 1] * (1.0 - weight)[None] + y[:, last] * weight[None]


def _profile(system: System, x, unknowns, code, steps, bath, pore) -> Profile:
    c, y = system.split(unknowns)
    flux, spread = net_flux(system, c, y)
    good = code == RESULTS.successful
    shown = lambda a: jnp.where(good, a, jnp.nan)
    z = jnp.asarray(system.valence, c.dtype)
    displacement = PER_PARTICLE / system.kappa * system.dielectric * (y[0, :-1] - y[0, 1:])
    here = PER_PARTICLE * (system.charge[jnp.array([0, -1])] + z @ (system.capacity * c)[:, jnp.array([0, -1])])
    charge = jnp.stack([displacement[0], -displacement[-1]]) - here
    return Profile(
        x=x,
        potential=shown(y[0] * thermal_voltage(bath.temperature)),
        concentrations=shown(c),
        flux=shown(flux),
        spread=spread,
        displacement=shown(displacement),
        charge=shown(charge),
        steps=lax.stop_gradient(steps),
        result=code,
        species=pore.species,
    )


def refuse(pore: Pore, bath: Bath, newton: Newton) -> None:
    """Refuses what cannot be solved, where it is known.

    **Raises:** `InputError`.
    """
    bath.check()
    for side, solution in (("inside", bath.inside), ("outside", bath.outside)):
        if isinstance(solution.c, Tracer) or not solution.species:
            continue
        z = np.asarray([float(s.z) for s in solution.species])
        c = np.asarray(solution.c)
        excess = c @ z
        if np.any(np.abs(excess) > 1e-6 * np.maximum(np.sum(c * np.abs(z), -1), 1e-300)):
            worst = excess.flat[int(np.argmax(np.abs(excess)))]
            raise InputError(
                f"The bath {side} must be neutral, but its charges add up to {worst:+g} mM; add {abs(worst):g} mM of "
                f"{'an anion' if worst > 0 else 'a cation'}, which need not enter the pore."
            )
    if newton.tolerance is None and pore.length.dtype != jnp.float64:
        raise InputError(
            "Pores are solved in float64: jax.config.update('jax_enable_x64', True), or accept less with "
            "newton=Newton(tolerance=1e-4)."
        )
