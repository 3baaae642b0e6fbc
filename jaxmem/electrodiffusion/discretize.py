"""From a pore, a mesh and its baths to the numbers of the equations."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Bath, Species
from ..results import InputError
from ..units import EPSILON0, F, R, thermal_voltage
from .ends import Charged, End, Periodic
from .flux import scharfetter_gummel
from .mesh import PER_NM3, Mesh
from .pore import Pore
from .shape import Cylindrical, Spherical
from .steric import AbstractSteric
from .system import System, gathered


def discretize(
    pore: Pore,
    mesh: Mesh,
    v: Float[ArrayLike, ""],
    bath: Bath,
    ends: tuple[End, End],
    *,
    filling: Mapping[Species, ArrayLike] | None = None,
    steric: AbstractSteric | None = None,
    flux: Callable = scharfetter_gummel,
) -> System:
    """The equations of a pore at v = psi(0) - psi(L) [mV], as `System`.

    Integrals over edges are exact for what is constant in a segment, and a radius that is linear in it.

    **Arguments:** see `solve`.
    **Raises:** `InputError` where a species of the pore is in no bath, or one of the ends is not in the pore.
    """
    check_structure(pore, bath, ends, filling)
    dtype = pore.length.dtype
    mesh, bath = jax.tree.map(lambda leaf: leaf.astype(dtype), (mesh, bath))
    x = mesh.positions(pore)
    x0, x1 = x[:-1], x[1:]
    r_first, r_last = pore.radius[mesh.segment, 0], pore.radius[mesh.segment, 1]
    r0, r1 = (r_first + f * (r_last - r_first) for f in (mesh.left, mesh.right))
    middle, r_middle = 0.5 * (x0 + x1), 0.5 * (r0 + r1)
    geometric = pore.shape.conductance(x0, x1, r0, r1)
    halves = (x0, middle, r0, r_middle), (middle, x1, r_middle, r1)
    volumes = [pore.shape.volume(*half) for half in halves]
    walls = [pore.shape.wall(*half) for half in halves]

    of_edge = lambda value: jnp.take(value, mesh.segment, axis=-1)
    partition = of_edge(pore.partition)
    row = lambda x: x[None]
    fixed = [
        of_edge(pore.fixed_charge) * volume + of_edge(pore.wall_charge) * wall * PER_NM3
        for volume, wall in zip(volumes, walls, strict=True)
    ]
    kappa = F * F * 1e-18 / (EPSILON0 * R) / bath.temperature
    unit = thermal_voltage(bath.temperature)
    bulk = jnp.stack([jnp.stack(bath[s]) for s in pore.species])
    areas = jnp.stack([pore.shape.area(x[0], pore.radius[0, 0]), pore.shape.area(x[-1], pore.radius[-1, 1])])
    layers = [end.contact.layer() for end in ends]
    capacitance, charge = (jnp.stack([jnp.asarray(each[i], dtype) for each in layers]) * areas for i in (0, 1))
    inflow = jnp.stack([jnp.stack([jnp.asarray(end.inflow.get(s, 0.0), dtype) for end in ends]) for s in pore.species])
    capacity = gathered(*(partition * row(volume) for volume in volumes))
    mean = bulk[:, 0] if filling is None else _filled(filling, pore.species, bulk[:, 0])
    charges = gathered(*fixed)
    ring = isinstance(ends, Periodic)
    if ring:
        capacity, charges = _joined(capacity), _joined(charges)
        bulk = jnp.stack([mean, mean], 1)
    return System(
        conductance=of_edge(pore.diffusion) * partition * row(geometric),
        dielectric=of_edge(pore.permittivity) * geometric,
        capacity=capacity,
        charge=charges,
        kappa=kappa,
        bulk=bulk,
        inflow=inflow * row(areas),
        psi=jnp.stack([jnp.asarray(v, dtype) / unit, jnp.zeros((), dtype)]),
        stern=capacitance * (1e-9 / EPSILON0),
        surface=charge * PER_NM3,
        total=mean * jnp.sum(capacity, 1),
        crowding=steric,
        valence=tuple(float(s.z) for s in pore.species),
        open=tuple(tuple(end.passes is None or s in end.passes for end in ends) for s in pore.species),
        grounded=(ends[0].contact.grounded, ends[1].contact.grounded),
        flux=flux,
        ring=ring,
    )


def check_structure(pore: Pore, bath: Bath, ends: tuple[End, End], filling: Mapping[Species, ArrayLike] | None) -> None:
    """Refuses ends and fillings that name what is not in the pore, baths that lack what is, and ends that hold nothing.

    **Raises:** `InputError`.
    """
    missing = [s.name for s in pore.species if s not in bath.species]
    if missing:
        raise InputError(f"The bath must hold every species of the pore, but lacks {', '.join(missing)}; zero will do.")
    if all(isinstance(end.contact, Charged) for end in ends):
        raise InputError(
            "The potential must be held at one end at least, or behind a layer, but both are `Charged`; hold one of "
            "them, contact=Held()."
        )
    if isinstance(ends, Periodic) and isinstance(pore.shape, Cylindrical | Spherical):
        raise InputError(
            f"A periodic pore must be a tube or a slab, but is {type(pore.shape).__name__}, whose ends differ."
        )
    named = [*(("An end", {*(end.passes or ()), *end.inflow}) for end in ends), ("`filling`", {*(filling or ())})]
    for where, given in named:
        unknown = sorted(str(getattr(s, "name", s)) for s in given - {*pore.species})
        if unknown:
            raise InputError(
                f"{where} names {', '.join(unknown)}, which is not in the pore; its species are "
                f"{', '.join(s.name for s in pore.species)}."
            )


def _joined(of_nodes: Float[Array, "*species nodes"]) -> Array:
    """The same, with what the last node has at the first."""
    return of_nodes.at[..., 0].add(of_nodes[..., -1]).at[..., -1].set(0.0)


def _filled(filling, species, default):
    return jnp.stack([jnp.asarray(filling.get(s, one), default.dtype) for s, one in zip(species, default, strict=True)])
