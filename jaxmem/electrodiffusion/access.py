"""The mouths of a pore: the resistance of the solution that converges on them."""

import math
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from ..electrochemistry import Species
from ..results import InputError
from .pore import Pore


def with_access(pore: Pore, diffusion: Mapping[Species, Any], *, permittivity: Any = 78.5) -> Pore:
    """The pore between two segments of bulk solution that stand for the access resistance of its mouths.

    Each mouth of radius a gets a segment of length pi a/4 and radius a without charge, whose resistance is Hall's
    1/(4 sigma a). A cylinder of length L in a solution of conductivity sigma then conducts
    sigma / (L/(pi a^2) + 1/(2 a)). The lengths follow the radii, so derivatives by a radius hold for its mouth, too.

    **Arguments:** `diffusion`: of every species of the pore, in bulk [nm2/ns]; `permittivity`: relative, of the baths.
    **Raises:** `InputError` for a pore that is no tube, and where a species is missing.
    **Source:** Hall, J. Gen. Physiol. 66, 531 (1975).
    """
    if not pore.shape.round:
        raise InputError(f"A mouth must be that of a tube, but the shape is {type(pore.shape).__name__}.")
    if set(diffusion) != set(pore.species):
        needed, given = (", ".join(s.name for s in x) for x in (pore.species, diffusion))
        raise InputError(f"`diffusion` must give that of {needed} in bulk, but gives {given or 'none'}.")
    ends = pore.radius[0, 0], pore.radius[-1, 1]
    around = lambda first, inner, last: jnp.concatenate(
        [jnp.asarray(first, inner.dtype)[None], inner, jnp.asarray(last, inner.dtype)[None]]
    )
    both = lambda value, inner: around(value, inner, value)
    return Pore(
        around(0.25 * math.pi * ends[0], pore.length, 0.25 * math.pi * ends[1]),
        {s: both(diffusion[s], pore.diffusion[k]) for k, s in enumerate(pore.species)},
        radius=jnp.stack([around(ends[0], pore.radius[:, side], ends[1]) for side in (0, 1)], 1),
        fixed_charge=both(0.0, pore.fixed_charge),
        wall_charge=both(0.0, pore.wall_charge),
        permittivity=both(permittivity, pore.permittivity),
        partition={s: both(1.0, pore.partition[k]) for k, s in enumerate(pore.species)},
        shape=pore.shape,
    )
