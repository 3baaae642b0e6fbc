"""How fast is the current-voltage curve of a charged pore, and with which error?

Three ions, two baths, 41 voltages on the same nodes with the same tolerance: jaxmem, all voltages at once; a banded
Newton's method (numpy, LAPACK) and DEVSIM, voltage after voltage. Then the curve with its gradient by every number of
the pore, and 1000 different pores.

    python benchmarks/pnp_iv.py [--quick] [--only jaxmem]
"""

from __future__ import annotations

from collections.abc import Iterator

import _pnp_iv_peers as peers
import numpy as np
from _pnp_iv import DIFFUSION, FIXED, INSIDE, LENGTHS, OUTSIDE, PERMITTIVITY, TEMPERATURE, VOLTS, nodes
from _timing import Row, compiled, measure, run


def problem():
    """The package, the pore and its bath."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from jaxmem import electrodiffusion as ed
    from jaxmem.electrochemistry import Bath, Cl, K, Na

    ions = (K, Na, Cl)
    pore = ed.Pore(
        LENGTHS,
        dict(zip(ions, DIFFUSION, strict=True)),
        fixed_charge=[0.0, FIXED, 0.0],
        permittivity=PERMITTIVITY,
        shape=ed.Planar(1.0),
    )
    baths = [dict(zip(ions, side, strict=True)) for side in (INSIDE, OUTSIDE)]
    return ed, pore, Bath(*baths, TEMPERATURE)


def _sizes(quick: bool) -> tuple[int, ...]:
    return (100, 1000) if quick else (100, 1000, 10000)


def jaxmem(quick: bool) -> Iterator[Row]:
    """`solve` vmapped over the voltages, each from the default start."""
    import jax
    import jax.numpy as jnp

    ed, pore, bath = problem()
    volts = jnp.asarray(VOLTS)
    for size in _sizes(quick):
        mesh = ed.at(nodes(size), pore)
        current = lambda v, pore, mesh=mesh: ed.solve(pore, v, bath, mesh=mesh, throw=False).current
        group = 41 if size < 5000 else 14  # of voltages at once
        curve = lambda v, pore, f=current, group=group: jax.lax.map(lambda v: f(v, pore), v, batch_size=group)
        forward, setup = compiled(curve, volts, pore)
        timing = measure(lambda forward=forward: forward(volts, pore), runs=2 if quick or size > 5000 else 5)
        yield peers.row("jaxmem", size, timing, setup, np.asarray(forward(volts, pore)))


def jaxmem_gradient(quick: bool) -> Iterator[Row]:
    """The curve and the derivative of every current by voltage and by every number of the pore."""
    import jax
    import jax.numpy as jnp

    ed, pore, bath = problem()
    volts = jnp.asarray(VOLTS)
    for size in _sizes(True):
        mesh = ed.at(nodes(size), pore)
        current = lambda v, pore, mesh=mesh: ed.solve(pore, v, bath, mesh=mesh, throw=False).current
        each = jax.value_and_grad(current, argnums=(0, 1))
        sloped, setup = compiled(jax.vmap(each, (0, None)), volts, pore)
        timing = measure(lambda sloped=sloped: sloped(volts, pore), runs=2 if quick else 5)
        yield peers.row("jaxmem, value and gradient", size, timing, setup, np.asarray(sloped(volts, pore)[0]))


def jaxmem_pores(quick: bool) -> Iterator[Row]:
    """1000 pores of different charge, all voltages, in blocks of 41 lanes."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    ed, pore, bath = problem()
    mesh, count = ed.at(nodes(100), pore), 50 if quick else 1000
    charges = jnp.linspace(-1000.0, 1000.0, count)[:, None] * jnp.array([0.0, 1.0, 0.0])
    volts = jnp.asarray(VOLTS)

    def curve(charge):
        changed = eqx.tree_at(lambda p: p.fixed_charge, pore, charge)
        return jax.vmap(lambda v: ed.solve(changed, v, bath, mesh=mesh, throw=False).current)(volts)

    every, setup = compiled(lambda charges: jax.lax.map(curve, charges), charges)
    timing = measure(lambda: every(charges), runs=2)
    found = np.asarray(every(charges))
    assert np.isfinite(found).all()
    yield Row("jaxmem", f"I-V of 41 voltages of {count} pores, 100 nodes", **timing, setup=setup)


if __name__ == "__main__":
    run(
        "pnp_iv",
        {
            "jaxmem": jaxmem,
            "jaxmem-gradient": jaxmem_gradient,
            "jaxmem-pores": jaxmem_pores,
            "banded": peers.banded,
            "devsim": peers.devsim,
        },
        cores="0,1",
    )
