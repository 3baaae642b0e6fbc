"""The verb: a pore in time, under a command."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Bath, Species
from ..results import RESULTS, InputError, raise_failures
from ..units import thermal_voltage
from .command import as_command
from .course import Course, current, end_charge
from .discretize import check_structure, discretize
from .ends import End, Periodic
from .flux import scharfetter_gummel
from .march import Rosenbrock, march
from .mesh import Mesh, graded
from .moving import Moving
from .newton import Newton
from .pore import Pore
from .profile import Profile
from .solve import solve
from .steric import AbstractSteric

_NEWTON, _BATHS = Newton(), (End(), End())


def evolve(
    pore: Pore,
    command: Any,
    t: Float[ArrayLike, " samples"],
    bath: Bath,
    *,
    mesh: Mesh | None = None,
    ends: tuple[End, End] = _BATHS,
    filling: Mapping[Species, ArrayLike] | None = None,
    steric: AbstractSteric | None = None,
    flux: Callable = scharfetter_gummel,
    source: Callable | None = None,
    start: Profile | Float[ArrayLike, "species nodes"] | None = None,
    method: Rosenbrock | None = None,
    newton: Newton = _NEWTON,
    throw: bool = True,
) -> Course:
    """A pore in time, as `Course`: potential, concentrations, currents with their displacement, and charges.

    Solves A dc/dt = -d(A J)/dx + source with J = -D (dc/dx + z c dpsi/dx), and Poisson's equation as `solve` does, by
    the same finite volumes: what leaves one volume enters the next, so that amounts are kept to rounding. To map over
    commands, baths or pores, `jax.vmap` it. Derivatives by all of them are those of the steps taken.

    **Arguments:**

    - `command`: psi(0) - psi(L) [mV]: a number; `(times, volts)` with one volt more than times [ns] for steps, the
      first of which holds before the first time, or with as many for lines between them; or a function of time.
    - `t` (samples,) [ns]: increasing, from zero or later, where the run begins.
    - `mesh`, `ends`, `filling`, `steric`, `flux`: see `solve`. At least one end must be held or behind a layer, or both
      be `PERIODIC`, where a `source` may bring no charge.
    - `source(c, psi, t)`: what appears of each ion at each node [mM nm3/ns], (species, nodes), from concentrations
      (species, nodes) [mM], potential (nodes,) [mV] and time [ns]. At a node it may depend on what is there, and at the
      nodes to its left and right, such as the other side of a membrane that is one edge wide.
    - `start`: concentrations (species, nodes) [mM], or a `Profile`; by default the steady state at the holding
      potential, without sources, or where no ion can leave the pore, as in a periodic one, the uniform filling.
    - `method`: `Rosenbrock()` by default, with `rtol`, or with steps of one length `Rosenbrock(dt=...)`; `newton`: for
      the start.
    - `throw`: whether to raise where the run did not come to its end; else what is missing is NaN, with the code in
      `result`.

    **Raises:** `InputError` for what cannot be; `RuntimeError` where the run did not come to its end.
    **Source:** Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969); Steinebach, BIT Numer. Math. 63:27
    (2023); Bazant, Thornton & Ajdari, Phys. Rev. E 70, 021506 (2004).
    """
    method = Rosenbrock() if method is None else method
    if mesh is None:
        mesh = graded(pore, bath)
    dtype = pore.length.dtype
    times = _sampled(t, dtype)
    check_structure(pore, bath, ends, filling)
    driven = as_command(command, dtype)
    opened = any(end.passes is None or s in end.passes for end in ends for s in pore.species)
    opened = opened and not isinstance(ends, Periodic)
    if start is None and opened:
        start = solve(
            pore, driven.holding, bath, mesh=mesh, ends=ends, filling=filling, steric=steric, flux=flux, newton=newton,
            throw=throw,
        )  # fmt: skip
    if isinstance(start, Profile):
        start = start.concentrations
    if start is not None:
        start = jnp.asarray(start, dtype)
        if start.shape != (len(pore.species), mesh.nodes):
            raise InputError(
                f"`start` must have the shape (species, nodes) = ({len(pore.species)}, {mesh.nodes}), but has "
                f"{start.shape}."
            )
    course = _evolve(pore, driven, times, bath, mesh, ends, filling, steric, flux, source, start, method)
    if throw and not isinstance(course.steps, Tracer):
        raise_failures(course.result)
    return course


@eqx.filter_jit
def _evolve(pore, command, times, bath, mesh, ends, filling, steric, flux, source, start, method) -> Course:
    system = discretize(pore, mesh, 0.0, bath, ends, filling=filling, steric=steric, flux=flux)
    system = dataclasses.replace(system, counted=False)
    unit = jnp.asarray(thermal_voltage(bath.temperature), times.dtype)
    if start is None:
        mean = system.total / jnp.sum(system.capacity, 1)
        start = jnp.broadcast_to(mean[:, None], system.capacity.shape)
    c = jnp.where(system.capacity > 0, start, jnp.where(jnp.isfinite(start), start, 0.0))
    moving = Moving(system, command, unit, source)
    ends_of = jnp.where(jnp.arange(mesh.nodes) == 0, system.bulk[:, :1], system.bulk[:, 1:])
    held = moving.joined(jnp.where(moving.held, ends_of, c))
    numbers = jax.tree.leaves(eqx.filter((system, command, held, times), eqx.is_inexact_array))
    finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in numbers]))
    safe = lambda tree: jax.tree.map(lambda a: jnp.where(finite, a, 1.0) if eqx.is_inexact_array(a) else a, tree)
    moving = safe(moving)
    concentrations, steps = march(moving, safe(held), times, method)
    amount = jnp.sum(system.capacity[None] * concentrations, -1)
    solvable = jnp.all(jax.vmap(system.solvable)(jnp.where(jnp.isfinite(amount), amount, 0.0)))
    code = RESULTS.where(jnp.all(jnp.isfinite(concentrations)), RESULTS.successful, RESULTS.pore_unfinished)
    code = RESULTS.where(finite, RESULTS.where(solvable, code, RESULTS.pore_charged), RESULTS.nonfinite_input)
    shown = lambda a: jnp.where(finite & solvable, a, jnp.nan)
    found = jax.vmap(lambda c, t: moving.consistent(c, t, moving.command.passed(t)))(concentrations, times)
    return Course(
        t=times,
        x=mesh.positions(pore),
        potential=shown(found[:, system.species] * unit),
        concentrations=shown(concentrations),
        current=shown(jax.vmap(lambda x, t: current(moving, x, t))(found, times)),
        amount=shown(amount),
        charge=shown(jax.vmap(lambda x: end_charge(moving, x))(found)),
        steps=steps,
        result=code,
        species=pore.species,
    )


def _sampled(t: Any, dtype: Any) -> Float[Array, " samples"]:
    times = jnp.asarray(t, dtype)
    if times.ndim != 1 or not times.shape[0]:
        raise InputError(f"`t` must be a line of times [ns], but has shape {times.shape}.")
    if not isinstance(times, Tracer):
        host = np.asarray(times)
        if not (np.all(np.diff(host) > 0) and host[0] >= 0):
            raise InputError("`t` must increase from zero or later [ns]; a run begins at t = 0.")
    return times
