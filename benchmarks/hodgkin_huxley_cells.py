"""How fast does a population of Hodgkin-Huxley cells run, and at which error of the seventh spike?

100 ms at a step of 0.025 ms, the spikes of every cell counted: 1000 cells on one core, 100 000 on two; and the gradient
of a mean square between voltages and records sampled every 0.1 ms, by three conductances that 1000 cells share. Beside
jaxmem: scans written by hand for these equations alone, NEURON, Arbor, Brian2's standalone program, Jaxley.

    python benchmarks/hodgkin_huxley_cells.py [--quick] [--only jaxmem]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import _hh_cells_by_hand as by_hand
import _hh_cells_peers as peers
import numpy as np
from _hh_cells import DT, DURATION, SAMPLED, SCALES, Population, errors, truth
from _timing import Row, compiled, measure, on_one_core, run


def patch_run(dtype: str, dt: float, **how) -> Callable:
    """A run of one squid patch by its conductances [mS/cm2] and current [uA/cm2]."""
    import equinox as eqx
    import jax

    jax.config.update("jax_enable_x64", dtype == "float64")
    import jaxmem as jm
    from jaxmem import simulate
    from jaxmem.library import hodgkin_huxley_1952

    patch = jm.cell.point(hodgkin_huxley_1952.model(q10=None), 1.0, 279.45)
    laws = lambda cell: [channel.permeation.g for channel in cell.membranes[0].mechanisms]
    command, method = jm.protocols.step(0.0, DURATION), simulate.Staggered(dt)

    def clamped(g_na, g_k, g_l, current, t):
        cell = eqx.tree_at(laws, patch, [g_na, g_k, g_l])
        level = current[None]
        stimulus = eqx.tree_at(lambda p: (p.start, p.stop), command, (level, level))
        return simulate.current_clamp(cell, stimulus, t, method=method, throw=False, **how)

    return clamped


def jaxmem(quick: bool, many: bool = False) -> Iterator[Row]:
    """`current_clamp` vmapped over the cells with a `SpikeCount`; once more at twice the step."""
    import jax
    import jax.numpy as jnp

    from jaxmem import simulate

    size, ends = peers.size_of(many, quick), np.array([0.0, DURATION])
    for dtype in ("float32",) if many else ("float64", "float32"):
        for dt in (DT, 2 * DT):
            clamped = patch_run(dtype, dt, record=simulate.SpikeCount(0.0))
            population = Population.draw(size)
            cells = (population.g_na, population.g_k, np.full(size, 0.3), population.current)
            given = [jnp.asarray(x, dtype) for x in cells]

            def counted(*cells, clamped=clamped):
                return jax.vmap(lambda *one: clamped(*one, ends).records[0])(*cells)

            forward, setup = compiled(counted, *given)
            timed = patch_run(dtype, dt, record=simulate.SpikeTimes(0.0, most=10))
            first = timed(*(x[0] for x in given), ends).records[0]
            found = errors(np.asarray(first), np.asarray(forward(*given)))
            timing = measure(lambda forward=forward, given=given: forward(*given), runs=2 if quick else 5)
            name = "jaxmem" if dt == DT else f"jaxmem, dt {dt:g} ms"
            yield peers.row(name, size, dtype, timing, setup, found)


def jaxmem_gradient(quick: bool) -> Iterator[Row]:
    """Forward mode, as for few parameters, and reverse mode in blocks of 200 cells."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    size = peers.size_of(False, quick)
    clamped, population = patch_run("float64", DT), Population.draw(size)
    block, t = min(200, size), np.arange(round(DURATION / (SAMPLED * DT)) + 1) * SAMPLED * DT
    split = lambda x: jnp.asarray(x).reshape(-1, block)
    cells = tuple(split(x) for x in (population.g_na, population.g_k, population.current))
    record = jnp.asarray(truth(size)["record"].T).reshape(-1, block, len(t))

    def squares(scales, one):
        (g_na, g_k, current), wanted = one
        each = lambda a, b, i: clamped(scales[0] * a, scales[1] * b, scales[2] * 0.3, i, t).v
        v = jax.vmap(each)(g_na, g_k, current)
        return jnp.sum((v[:, 1:] - wanted[:, 1:]) ** 2) / (size * (len(t) - 1))

    def forward(scales, cells, record):
        def tangents(one):
            pushed = lambda direction: jax.jvp(lambda s: squares(s, one), (scales,), (direction,))
            return jax.vmap(pushed, out_axes=(None, 0))(jnp.eye(3))

        value, slope = lax.map(tangents, (cells, record))
        return value.sum(), slope.sum(0)

    def backward(scales, cells, record):
        value, slope = lax.map(lambda one: jax.value_and_grad(squares)(scales, one), (cells, record))
        return value.sum(), slope.sum(0)

    given = (jnp.asarray(SCALES), cells, record)
    for function, name, note in (
        (forward, "jaxmem", "forward mode, blocks of 200"),
        (backward, "jaxmem, reverse", "reverse mode, blocks of 200"),
    ):
        sloped, setup = compiled(function, *given)
        gradient = sloped(*given)[1]
        timing = measure(lambda sloped=sloped: sloped(*given), runs=2 if quick else 5)
        yield peers.gradient_row(name, size, timing, setup, gradient, note)


if __name__ == "__main__":
    alike = {"jaxmem": jaxmem, "scan": by_hand.scan, "neuron": peers.neuron, "arbor": peers.arbor}
    alike |= {"brian2": peers.brian2, "jaxley": peers.jaxley}
    gradients = {"jaxmem": jaxmem_gradient, "scan": by_hand.scan_gradient, "jaxley": peers.jaxley_gradient}
    run(
        "hodgkin_huxley_cells",
        {name: on_one_core(peer) for name, peer in alike.items()}
        | {f"{name}-gradient": on_one_core(peer) for name, peer in gradients.items()}
        | {f"{name}-many": partial(peer, many=True) for name, peer in alike.items()},
        cores="0,1",
    )
