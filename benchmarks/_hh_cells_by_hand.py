"""The population of cells as scans written by hand for these equations alone: they show what a library costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from _hh_cells import (
    DT,
    E_K,
    E_L,
    E_NA,
    G_L,
    REST,
    SAMPLED,
    SCALES,
    STEPS,
    Population,
    errors,
    resting,
    spike_times,
    truth,
)
from _hh_cells_peers import gradient_row, row, size_of
from _timing import Row, compiled, measure


def _scan(dtype: str, rush_larsen: bool) -> Callable:
    """A population as a scan written by hand: (v, m, h, n), a step at a time, and a function that makes one step.

    Gates first, then the voltage with them: by exponentials (Rush and Larsen's), or by the trapezoidal rule.
    """
    import jax.numpy as jnp

    c = np.dtype(dtype).type
    h, least = c(DT), c(1e-3 if dtype == "float32" else 1e-6)

    def linear(x):
        x = jnp.where(jnp.abs(x) < least, least, x)
        return x / (c(1) - jnp.exp(-x))

    def moved(x, push, rate):
        z = h * rate
        if rush_larsen:
            return push / rate + (x - push / rate) * jnp.exp(-z)
        # Not by `maximum`, whose derivative compares numbers that recomputing may round otherwise.
        return x + h * (push - rate * x) / jnp.where(z > c(2), z, c(1) + c(0.5) * z)

    def step(state, g_na, g_k, g_l, current):
        v, *gates = state
        m0 = linear((v + c(40)) * c(0.1))
        n0 = c(0.1) * linear((v + c(55)) * c(0.1))
        h0 = c(0.07) * jnp.exp((v + c(65)) * c(-1 / 20))
        m1, n1 = c(4) * jnp.exp((v + c(65)) * c(-1 / 18)), c(0.125) * jnp.exp((v + c(65)) * c(-1 / 80))
        h1 = c(1) / (c(1) + jnp.exp((v + c(35)) * c(-0.1)))
        pairs = ((m0, m1), (h0, h1), (n0, n1))
        m, x, n = (moved(gate, a, a + b) for gate, (a, b) in zip(gates, pairs, strict=True))
        sodium, potassium = g_na * (m * m * m * x), g_k * (n * n) * (n * n)
        total = sodium + potassium + g_l
        pushed = current + sodium * c(E_NA) + potassium * c(E_K) + g_l * c(E_L)
        return moved(v, pushed, total), m, x, n

    return step


def scan(quick: bool, many: bool = False) -> Iterator[Row]:
    """Scans written by hand for these equations alone: what a library cannot beat with the same step."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    size = size_of(many, quick)
    for dtype in ("float32",) if many else ("float64", "float32"):
        jax.config.update("jax_enable_x64", dtype == "float64")
        population = Population.draw(size)
        given = [jnp.asarray(x, dtype) for x in (population.g_na, population.g_k, population.current)]
        for rush_larsen, name in ((True, "scan by hand, Rush-Larsen"), (False, "scan by hand, trapezoidal")):
            step = _scan(dtype, rush_larsen)

            def run(g_na, g_k, current, step=step, dtype=dtype):
                def one(carry, _):
                    state, count = carry
                    after = step(state, g_na, g_k, np.dtype(dtype).type(G_L), current)
                    return (after, count + ((state[0] < 0) & (after[0] >= 0)).astype(jnp.int32)), after[0][0]

                state = tuple(jnp.full_like(g_na, x) for x in (REST, *resting()))
                (_, counts), first = lax.scan(one, (state, jnp.zeros_like(g_na, jnp.int32)), None, STEPS)
                return counts, first

            counted, setup = compiled(lambda *g, run=run: run(*g)[0], *given)
            first = np.concatenate([[REST], np.asarray(jax.jit(run)(*(x[:1] for x in given))[1])])
            found = errors(spike_times(np.arange(STEPS + 1) * DT, first), np.asarray(counted(*given)))
            timing = measure(lambda counted=counted, given=given: counted(*given), runs=2 if quick else 5)
            yield row(name, size, dtype, timing, setup, found)


def scan_gradient(quick: bool) -> Iterator[Row]:
    """The trapezoidal scan by hand, differentiated in forward mode and, checkpointed in two levels and in blocks of
    200 cells, in reverse mode.
    """
    import jax
    import jax.numpy as jnp
    from jax import lax

    jax.config.update("jax_enable_x64", True)
    size = size_of(False, quick)
    population, step, runs = Population.draw(size), _scan("float64", False), 2 if quick else 5
    block = min(200, size)
    split = lambda x: jnp.asarray(x).reshape(-1, block)
    cells = tuple(split(x) for x in (population.g_na, population.g_k, population.current))
    record = jnp.swapaxes(jnp.asarray(truth(size)["record"])[1:].reshape(STEPS // SAMPLED, -1, block), 0, 1)

    def squares(scales, one):
        (g_na, g_k, current), wanted = one
        given = (scales[0] * g_na, scales[1] * g_k, scales[2] * G_L, current)

        def sample(carry, wanted):
            state, total = carry
            for _ in range(SAMPLED):
                state = step(state, *given)
            return (state, total + jnp.sum((state[0] - wanted) ** 2)), None

        def stretch(carry, wanted):
            return lax.scan(jax.checkpoint(sample), carry, wanted)

        state = tuple(jnp.full_like(g_na, x) for x in (REST, *resting()))
        some = wanted.reshape(-1, 25, block)
        return lax.scan(jax.checkpoint(stretch), (state, jnp.zeros(())), some)[0][1] / record.size

    def forward(scales, cells, record):
        def tangents(one):
            pushed = lambda direction: jax.jvp(lambda s: squares(s, one), (scales,), (direction,))
            return jax.vmap(pushed, out_axes=(None, 0))(jnp.eye(3))

        value, slope = lax.map(tangents, (cells, record))
        return value.sum(), slope.sum(0)

    def backward(scales, cells, record):
        value, slope = lax.map(lambda one: jax.value_and_grad(squares)(scales, one), (cells, record))
        return value.sum(), slope.sum(0)

    for function, note in ((forward, "forward mode"), (backward, "reverse mode, checkpointed, blocks of 200")):
        given = (jnp.asarray(SCALES), cells, record)
        sloped, setup = compiled(function, *given)
        gradient = sloped(*given)[1]
        timing = measure(lambda sloped=sloped, given=given: sloped(*given), runs=runs)
        yield gradient_row("scan by hand, trapezoidal", size, timing, setup, gradient, note)
