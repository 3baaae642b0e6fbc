"""Random pores of every kind, for tests."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Ca, Cl, K, Na

SETS = {1: (K,), 2: (K, Cl), 3: (K, Na, Cl), 4: (K, Na, Ca, Cl)}


def drawn(rng, kind, size):
    """Numbers of `size` pores with `kind` species: 0.1 mM to 3 M, also none, up to 5 M of charge, up to 1 V."""
    species = SETS[kind]
    cations = [s for s in species if s.z > 0]
    spread = lambda low, high, n: np.exp(rng.uniform(np.log(low), np.log(high), n))
    sides = []
    for _ in range(2):
        c = {s: spread(0.1, 3000.0, size) * (rng.uniform(size=size) > 0.15) for s in cations}
        c[K] = np.where(sum(c.values()) == 0, 0.1, c[K])
        c[Cl] = sum(s.z * c[s] for s in cations)
        sides.append(c)
    return {
        "inside": sides[0],
        "outside": sides[1],
        "v": rng.uniform(-1000.0, 1000.0, size),
        "fixed": rng.choice([-1.0, 1.0], size) * spread(1.0, 5000.0, size) * (rng.uniform(size=size) > 0.1),
        "wall": rng.normal(size=size) * 0.3 * (rng.uniform(size=size) > 0.5),
        "radius": spread(0.3, 50.0, (size, 2)),
        "length": spread(1.0, 10000.0, size),
        "diffusion": spread(0.01, 3.0, (size, len(species))),
    }


def made(kind, numbers):
    """A pore and its bath of numbers of `drawn`: an hourglass with a charged middle and two charged mouths."""
    first, last = numbers["radius"]
    zero = jnp.zeros_like(numbers["fixed"])
    pore = ed.Pore(
        numbers["length"] * jnp.array([0.3, 0.4, 0.3]),
        {s: numbers["diffusion"][i] for i, s in enumerate(SETS[kind])},
        radius=jnp.stack([first, last, last, first]),
        fixed_charge=jnp.stack([zero, numbers["fixed"], zero]),
        wall_charge=jnp.stack([numbers["wall"], zero, -numbers["wall"]]),
    )
    return pore, Bath(numbers["inside"], numbers["outside"], 298.15)


def solved(kind, numbers, nodes=121, dtype=jnp.float64, **how):
    """The profiles of numbers of `drawn`, all at once."""

    def one(numbers):
        pore, bath = jax.tree.map(lambda x: x.astype(dtype), made(kind, numbers))
        return ed.solve(pore, numbers["v"], bath, mesh=ed.graded(pore, bath, nodes), throw=False, **how)

    return jax.jit(jax.vmap(partial(one)))(numbers)
