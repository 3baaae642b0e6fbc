"""How does the speed of batches grow with their size, on whatever accelerator jax finds?

Value and gradient of 1 to 4096 hERG parameter sets under the sine wave (80 000 samples each, float64 and
float32), of 1 to 256 five-state Markov sets, and forward runs of 1 to 16 384 squid-axon families (13 x 1601
samples), of a thousand to ten million spiking squid axons (4000 steps each, float32, spikes counted), and of
current-voltage curves of 1 to 4096 charged pores, and of one on up to 10 000 nodes. Work
goes in blocks, so memory stays bounded. Beside each time: an estimate of the arithmetic and of the least
traffic (what must be read and written once), which say how far a run is from the device's own limits. Without
an accelerator it runs on the CPU, smaller, and says so.

    python benchmarks/gpu.py [--quick] [--only herg]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from _hh_cells import DT, DURATION, G_L, MANY, STEPS, Population
from _hh_cells import errors as cell_errors
from _jaxmem_sine_wave import command, herg, markov
from _pnp_iv import FIXED, VOLTS
from _pnp_iv import error as curve_error
from _pnp_iv import nodes as places
from _sine_wave import HERG, MARKOV, Kinetics, errors, parameter_sets, recording, times
from _timing import Row, compiled, measure, run
from hodgkin_huxley_cells import patch_run
from pnp_iv import problem
from squid_family import G_K, G_NA, LEVELS, SAMPLES, family, squid
from squid_family import error as family_error

EXP = 20
"""Floating-point operations that one exponential is counted as."""


@dataclass(frozen=True)
class Estimate:
    """Operations and least bytes of one element of a batch, from what the method must compute."""

    operations: float
    floats: float

    def work(self, seconds: float, size: int, width: int) -> dict[str, float]:
        """The estimate for a batch of `size` with floats of `width` bytes, and the rates reached."""
        operations, moved = self.operations * size, self.floats * width * size
        return {
            "flop": operations,
            "bytes": moved,
            "flop_per_s": operations / seconds,
            "bytes_per_s": moved / seconds,
        }


def _sine_estimate(states: int, parameters: int, markov: bool) -> Estimate:
    """The 3500 ms of sines take 35 000 fourth-order steps; a gradient is counted as three times the forward
    work.

    A gate's step: 2 points x 2 rates and 2 exponentials more. A scheme's step: rates, and two exponentials of
    a matrix at about 12 products of states^3 multiply-adds each. The least traffic is the data read, and the
    states kept for the way back.
    """
    samples, steps = 80_000, 35_000
    if markov:
        step = 12 * EXP + 2 * 12 * 2 * states**3
    else:
        step = states * (4 * EXP + 2 * EXP + 20)
    return Estimate(
        3 * (steps * step + samples * (2 * states * (1 if not markov else states) + 6)),
        samples * (1 + 2 * states),
    )


CELL = Estimate(STEPS * (6 * EXP + 60), STEPS * 14)
"""A cell's step: six rates, three gates, a membrane. Where a step is a kernel of its own, it reads and writes the
potential, three gates and a count, and reads three conductances and a current."""
PORE = Estimate(41 * 7 * (3 * 2 * (EXP + 10) + 600), 41 * 7 * 3 * 16)
"""A node of a curve: at each voltage about seven Newton steps of two exponentials for each ion, and the elimination of
a block of four, whose three blocks are written and read."""
FAMILY = Estimate(len(LEVELS) * SAMPLES * 3 * (EXP + 4), len(LEVELS) * SAMPLES)


def _device():
    import jax

    jax.config.update("jax_enable_x64", True)
    device = jax.devices()[0]
    found = device.platform != "cpu"
    return f"{device.platform}: {device.device_kind}" if found else "cpu (no accelerator found)", found


def _cast(tree, dtype):
    import jax
    import jax.numpy as jnp

    return jax.tree.map(lambda x: x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


def _batch(
    one: Callable,
    sets,
    block: int,
    fixed: tuple,
    *,
    check: Callable,
    estimate: Estimate,
    task: str,
    runs: int,
    device: str,
    steps: int = 0,
) -> Row:
    """A row of `one(element, *fixed)` over the leading axis of `sets`, `block` elements at a time; of cells that take
    `steps` each, if that is given.
    """
    import jax

    whole, setup = compiled(
        lambda s, *rest: jax.lax.map(lambda x: one(x, *rest), s, batch_size=block), sets, *fixed
    )
    found = check(whole(sets, *fixed))
    timing = measure(lambda: whole(sets, *fixed), runs=runs)
    size = len(jax.tree.leaves(sets)[0])
    width = jax.tree.leaves(sets)[0].dtype.itemsize
    work = estimate.work(timing["median"], size, width) | {
        "sets_per_s": size / timing["median"],
        "block": block,
    }
    memory = whole.memory_analysis()
    if memory is not None:
        work["scratch_bytes"] = float(memory.temp_size_in_bytes)
    rate = work["sets_per_s"]
    flops, traffic = work["flop_per_s"] / 1e9, work["bytes_per_s"] / 1e9
    note = f"{rate:.3g} sets/s, {flops:.3g} Gflop/s, least traffic {traffic:.3g} GB/s"
    if steps:
        work["cell_steps_per_s"] = steps * rate
        note = f"{steps * rate / 1e6:.3g} million cell-steps/s, {note}"
    dtype = str(jax.tree.leaves(sets)[0].dtype)
    return Row(
        "jaxmem", task, **timing, setup=setup, errors=found, dtype=dtype, device=device, note=note, work=work
    )


def sine_wave(
    kinetics: Kinetics, model: Callable, dtypes: tuple[str, ...], largest: tuple[int, int], quick: bool
) -> Iterator[Row]:
    """Value and gradient of batches of parameter sets; `largest` batch without and with an accelerator."""
    device, accelerated = _device()
    import jax
    import jax.numpy as jnp

    from jaxmem import simulate
    from jaxmem.electrochemistry import as_bath

    t = times()
    exact = recording(kinetics, t, kinetics.reference(t)[0])
    estimate = _sine_estimate(len(kinetics.B[0]), len(kinetics.theta), kinetics.conserved)
    plan, bath = simulate.plan_clamp(model(jnp.asarray(kinetics.theta)), command(), t), as_bath(294.55)

    def loss(theta, plan, data, bath):
        return jnp.sum((simulate.clamp(_cast(model(theta), theta.dtype), plan, bath).current - data) ** 2)

    most = 4 if quick else largest[accelerated]
    for dtype in dtypes:
        fixed = _cast((plan, jnp.asarray(exact), bath), dtype)
        for size in (4**k for k in range(7) if 4**k <= most):
            sets = jnp.asarray(parameter_sets(kinetics, size), dtype)
            block = min(size, 64) if accelerated else 1
            check = lambda found: errors(kinetics, t, gradient=np.asarray(found[1][0], float))
            task = f"{'Markov' if kinetics.conserved else 'hERG'} value and gradient, {size} sets, {dtype}"
            runs = 2 if quick else 5
            yield _batch(
                jax.value_and_grad(loss),
                sets,
                block,
                fixed,
                check=check,
                estimate=estimate,
                task=task,
                runs=runs,
                device=device,
            )


def families(quick: bool) -> Iterator[Row]:
    """Forward runs of squid-axon families that differ in both conductances; every sample is kept."""
    device, accelerated = _device()
    import jax.numpy as jnp

    from jaxmem import simulate
    from jaxmem.electrochemistry import as_bath

    bath = as_bath(279.45)
    plan = simulate.plan_clamp(squid(G_NA, G_K), family(), np.arange(SAMPLES) * 0.025)

    def one(g, plan, bath):
        return simulate.clamp(_cast(squid(g[0], g[1]), g.dtype), plan, bath).current

    for dtype in ("float64", "float32"):
        fixed = _cast((plan, bath), dtype)
        for size in (4**k for k in range(8) if 4**k <= (16 if quick else 16_384 if accelerated else 256)):
            factors = np.exp(np.random.default_rng(0).uniform(-0.5, 0.5, (size, 2)))
            factors[0] = 1.0
            sets = jnp.asarray(factors * np.array([G_NA, G_K]), dtype)
            block = min(size, 1024) if accelerated else min(size, 4)
            check = lambda found: family_error(np.asarray(found[0], float))
            task = f"squid family forward, {size} sets, {dtype}"
            yield _batch(
                one,
                sets,
                block,
                fixed,
                check=check,
                estimate=FAMILY,
                task=task,
                runs=2 if quick else 5,
                device=device,
            )


def cells(quick: bool) -> Iterator[Row]:
    """Squid axons that fire for 100 ms, which differ in conductances and current, in float32; no trace is kept."""
    device, accelerated = _device()
    import jax.numpy as jnp

    from jaxmem import simulate

    ends = np.array([0.0, DURATION])
    counted = patch_run("float32", DT, record=simulate.SpikeCount(0.0))
    timed = patch_run("float32", DT, record=simulate.SpikeTimes(0.0, most=10))
    for size in (10**k for k in range(3, 8) if 10**k <= (1000 if quick else 10**7 if accelerated else 10**4)):
        population = Population.draw(size)
        arrays = (population.g_na, population.g_k, np.full(size, G_L), population.current)
        sets = tuple(jnp.asarray(x, jnp.float32) for x in arrays)
        first = timed(*(x[0] for x in sets), ends).records[0]
        yield _batch(
            lambda one: counted(*one, ends).records[0],
            sets,
            min(size, 10**6 if accelerated else MANY),
            (),
            check=lambda found, first=first: cell_errors(np.asarray(first), np.asarray(found)),
            estimate=CELL,
            task=f"squid axons, {size:,} cells, 100 ms, float32",
            runs=2 if quick else 5,
            device=device,
            steps=STEPS,
        )


def pores(quick: bool) -> Iterator[Row]:
    """Current-voltage curves of pores that differ in charge, then of one pore on finer meshes: 41 voltages, float64."""
    device, accelerated = _device()
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    ed, pore, bath = problem()
    volts, place = jnp.asarray(VOLTS), jnp.array([0.0, 1.0, 0.0])
    most = 4 if quick else 4096 if accelerated else 64
    shapes = [(4**k, 100) for k in range(7) if 4**k <= most]
    for size, nodes in [*shapes, *((1, nodes) for nodes in ((1000,) if quick else (1000, 10_000)))]:
        mesh = ed.at(places(nodes), pore)

        def curve(charge, pore, bath, mesh=mesh):
            changed = eqx.tree_at(lambda p: p.fixed_charge, pore, charge * place)
            return jax.vmap(lambda v: ed.solve(changed, v, bath, mesh=mesh, throw=False).current)(volts)

        yield _batch(
            curve,
            jnp.linspace(FIXED, -FIXED, size) if size > 1 else jnp.full((1,), FIXED),
            min(size, 256 if accelerated else 1),
            (pore, bath),
            check=lambda found: {"current": curve_error(found[0]), "unsolved": float(np.isnan(found).mean())},
            estimate=Estimate(PORE.operations * nodes, PORE.floats * nodes),
            task=f"I-V of 41 voltages of {size} pores, {nodes} nodes, float64",
            runs=2 if quick else 5,
            device=device,
        )


if __name__ == "__main__":
    run(
        "gpu",
        {
            "herg": lambda quick: sine_wave(HERG, herg, ("float64", "float32"), (64, 4096), quick),
            "markov": lambda quick: sine_wave(MARKOV, markov, ("float64",), (4, 256), quick),
            "family": families,
            "cells": cells,
            "pores": pores,
        },
        cores="all",
    )
