"""jaxmem's side of the sine-wave benchmarks, as a user would write it: a model of theta, a command, one
call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from _sine_wave import EDGES, HERG, MARKOV, SINES, STEPS, Kinetics, errors, parameter_sets, recording, times
from _timing import Row, compiled, measure

TEMPERATURE = 294.55


def command():
    """The sine-wave command as a jaxmem protocol."""
    from jaxmem import protocols

    amplitudes, frequencies = zip(*SINES, strict=True)
    origin = 2500.0 - float(EDGES[6])
    whole = [
        protocols.sine(-30.0, amplitudes, frequencies, duration, origin=origin)
        if level is None
        else protocols.step(level, duration)
        for duration, level in STEPS
    ]
    return protocols.joined(whole)


def herg(theta):
    """The two-gate channel of theta = p1..p8, g."""
    import jaxmem as jm

    opening, closing = jm.rates.Exponential(theta[0], theta[1]), jm.rates.Exponential(theta[2], -theta[3])
    recovery, inactivation = (
        jm.rates.Exponential(theta[6], -theta[7]),
        jm.rates.Exponential(theta[4], theta[5]),
    )
    gates = (jm.gating.Gate(opening, closing), jm.gating.Gate(recovery, inactivation))
    open_channel = jm.permeation.Ohmic(theta[8], reversal=HERG.reversal)
    return jm.channel.Channel(jm.gating.HodgkinHuxley(gates, (1, 1)), open_channel)


def markov(theta):
    """The five-state channel of theta = ionBench's p1..p15."""
    import jaxmem as jm

    up, flat = jm.rates.Exponential, jm.rates.Constant
    edges = {
        ("C1", "C2"): (up(theta[0], theta[1]), up(theta[7], -theta[8])),
        ("C2", "C3"): (flat(theta[2]), flat(theta[9])),
        ("C3", "O"): (up(theta[3], theta[4]), up(theta[10], -theta[11])),
        ("O", "I"): (up(theta[5], theta[6]), up(theta[12], -theta[13])),
    }
    open_channel = jm.permeation.Ohmic(theta[14] * MARKOV.gain, reversal=MARKOV.reversal)
    return jm.channel.Channel(jm.gating.Markov(jm.kinetics.scheme(edges), ("O",)), open_channel)


def rows(kinetics: Kinetics, model: Callable, quick: bool, *, batched: int, block: int = 1) -> Iterator[Row]:
    """Forward; value and gradient; the Jacobian of all samples; and `batched` sets, `block` of them at a
    time.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    from jaxmem import simulate
    from jaxmem.electrochemistry import as_bath

    t = times(4000.0 if quick else 8000.0)
    runs = 2 if quick else 5
    theta, data = jnp.asarray(kinetics.theta), jnp.asarray(recording(kinetics, t, kinetics.reference(t)[0]))
    plan, bath = simulate.plan_clamp(model(theta), command(), t), as_bath(TEMPERATURE)

    def current(theta, plan):
        return simulate.clamp(model(theta), plan, bath).current

    def loss(theta, plan, data):
        return jnp.sum((current(theta, plan) - data) ** 2)

    both = jax.value_and_grad(loss)

    def blocks(sets, plan, data):
        return jax.lax.map(lambda one: both(one, plan, data), sets, batch_size=block)

    forward, setup = compiled(current, theta, plan)
    found = errors(kinetics, t, current=forward(theta, plan))
    once = measure(lambda: forward(theta, plan), runs=runs)
    yield Row("jaxmem", "forward", **once, setup=setup, errors=found)
    sloped, setup = compiled(both, theta, plan, data)
    found = errors(kinetics, t, gradient=sloped(theta, plan, data)[1])
    timing = measure(lambda: sloped(theta, plan, data), runs=runs)
    yield Row("jaxmem", "value and gradient", **timing, setup=setup, errors=found)
    jacobian, setup = compiled(jax.jacfwd(current), theta, plan)
    found = errors(kinetics, t, jacobian=jacobian(theta, plan))
    timing = measure(lambda: jacobian(theta, plan), runs=runs)
    times_forward = f"{timing['median'] / once['median']:.1f} forward runs"
    yield Row("jaxmem", "Jacobian", **timing, setup=setup, errors=found, note=times_forward)
    sets = jnp.asarray(parameter_sets(kinetics, 2 if quick else batched))
    many, setup = compiled(blocks, sets, plan, data)
    found = errors(kinetics, t, gradient=np.asarray(many(sets, plan, data)[1][0]))
    timing = measure(lambda: many(sets, plan, data), runs=runs)
    task = f"value and gradient, {len(sets)} sets"
    yield Row("jaxmem", task, **timing, setup=setup, errors=found, note=f"lax.map, {block} at a time")
