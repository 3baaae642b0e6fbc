"""The exact clamp: under an imposed voltage every gating is linear, so it is propagated, not integrated.

Gates relax in closed form along stretches of constant voltage and by a fourth-order step elsewhere; state
graphs by matrix exponentials. Each function is written for one sweep.
"""

from functools import singledispatch
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from .._numerics.expm import expm1_generator
from .._numerics.recurrence import affine_recurrence, matrix_recurrence
from ..channel import Channel
from ..electrochemistry import Bath
from ..gating import AbstractGating, AlwaysOpen, HodgkinHuxley, Instantaneous, Markov
from ..transport import QuasiSteady, Transporter
from .plan import GAUSS, Chain, Nodes, Plan

_FEW = 8  # values that are picked by comparison
_EARLY, _LATE = 0.25 + GAUSS, 0.25 - GAUSS


class Exact(eqx.Module):
    """The method of the ideal clamp.

    **Arguments:** `step` [ms]: longest interval of the fourth-order step where the voltage moves; held and
    stepped commands are exact at any sampling.
    """

    step: float = eqx.field(static=True, default=0.1)


def needs(model: Any) -> dict[str, bool]:
    """Which layouts of a plan a model (a mechanism or a tuple of them) needs."""
    gatings = [getattr(m, "gating", m) for m in (model if isinstance(model, tuple) else (model,))]
    return {
        "nodes": any(isinstance(g, HodgkinHuxley) for g in gatings),
        "chain": any(not isinstance(g, HodgkinHuxley | AlwaysOpen | Instantaneous | QuasiSteady) for g in gatings),
    }


def gate_trajectory(
    steady: Float[Array, "nodes points"],
    rate: Float[Array, "nodes points"],
    x0: Float[Array, ""],
    nodes: Nodes,
) -> Float[Array, " samples"]:
    """A gate at the samples, from its steady value and rate [1/ms] in every interval.

    With two Gauss points the step is fourth-order Magnus for dx/dt = r (s - x),
    x(h) = s' + (x - s') exp(-h (r1 + r2)/2), s' = w s1 + (1 - w) s2, with the weight w written so that the
    gate can never leave the range of its steady values.
    """
    h = nodes.h
    if steady.shape[-1] == 1:
        target, mean = steady[:, 0], rate[:, 0]
    else:
        (s1, s2), (r1, r2) = (jnp.moveaxis(x, -1, 0) for x in (steady, rate))
        shift = GAUSS * h * r2
        w = r1 / (r1 + r2) * (1.0 - shift / jnp.sqrt(1.0 + shift**2))
        target, mean = s2 + w * (s1 - s2), 0.5 * (r1 + r2)
    change = -jnp.expm1(-mean * h)
    x = affine_recurrence(1.0 - change, change * target, x0)
    begin, goal, pace = (_picked(values, nodes.node) for values in (x[:-1], target, mean))
    return goal + (begin - goal) * jnp.exp(-pace * nodes.elapsed)


def _picked(values: Float[Array, " nodes"], index: Int[Array, " samples"]) -> Float[Array, " samples"]:
    """values[index] for an index that never falls; where there are few values by comparison, which runs along the
    samples, forward and in reverse."""
    if values.shape[0] > _FEW:
        return values[index]
    picked = jnp.full(index.shape, values[0])
    for k in range(1, values.shape[0]):
        picked = jnp.where(index >= k, values[k], picked)
    return picked


def chain_propagators(
    gating: Markov | Transporter, chain: Chain, bath: Bath
) -> Float[Array, "propagators states states"]:
    """P - I of every propagator of a chain: exponentials, commutator-free fourth-order pairs where the
    voltage moves, and mixtures of them.

    **Source:** Blanes & Moan 2006; Alvermann & Fehske 2011.
    """
    h = chain.h[:, None, None]
    q = gating.generator(chain.v, bath)
    if chain.v.shape[-1] == 1:
        d = expm1_generator(q[:, 0] * h)
    else:
        first, second = _EARLY * q[:, 0] + _LATE * q[:, 1], _LATE * q[:, 0] + _EARLY * q[:, 1]
        d1, d2 = expm1_generator(first * h), expm1_generator(second * h)
        d = d1 + d2 + jnp.sum(d1[:, :, :, None] * d2[:, None, :, :], 2)
    states = d.shape[-1]
    mixed = chain.mixed(d.reshape(-1, states * states)).reshape(-1, states, states)
    # Interpolation may leave a transition that hardly ever happens a rounding below zero. What is put back is no part
    # of the derivative: it is as small as the interpolation's error, and would cost more than all the rest.
    same = jnp.eye(states, dtype=bool)[None]
    missing = jax.lax.stop_gradient(jnp.minimum(jnp.where(same, 0.0, mixed), 0.0))
    return mixed - missing + jnp.where(same, jnp.sum(missing, -1)[:, :, None], 0.0)


@singledispatch
def trajectory(gating: Any, plan: Plan, bath: Bath) -> Any:
    """The state of a gating at the samples of a plan, from the steady state at the holding voltage.

    A mechanism of a kind not known here is advanced over each interval at its mean voltage: exact for held
    and stepped commands, second order elsewhere.
    """

    def advance(state, interval):
        state = gating.advance(state, interval[1], bath, interval[0])
        return state, state

    first = gating.init(plan.holding, bath)
    _, later = jax.lax.scan(advance, first, plan.chain.intervals())
    states = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, later)
    return jax.tree.map(lambda x: plan.chain.sampled(x, plan.t.shape[-1]), states)


@trajectory.register(AlwaysOpen)
@trajectory.register(Instantaneous)
@trajectory.register(QuasiSteady)
def _(gating: AlwaysOpen | Instantaneous | QuasiSteady, plan: Plan, bath: Bath) -> tuple[()]:
    return ()


@trajectory.register
def _(gating: HodgkinHuxley, plan: Plan, bath: Bath) -> Float[Array, "samples gates"]:
    start = gating.init(plan.holding, bath)
    curves = [
        gate_trajectory(*gate.relaxation(plan.nodes.v, bath), start[k], plan.nodes)
        for k, gate in enumerate(gating.gates)
    ]
    return jnp.stack(curves, -1)


@trajectory.register(Markov)
@trajectory.register(Transporter)
def _(gating: Markov | Transporter, plan: Plan, bath: Bath) -> Float[Array, "samples states"]:
    p0 = gating.init(plan.holding, bath)
    p = matrix_recurrence(chain_propagators(gating, plan.chain, bath), plan.chain.which, p0)
    p = plan.chain.sampled(p, plan.t.shape[-1])
    return p / jnp.sum(p, -1, keepdims=True)


def respond(mechanism: Any, plan: Plan, bath: Bath) -> tuple[Any, Float[Array, " samples"]]:
    """State and current [pA] of a mechanism at the samples of a plan."""
    gating: AbstractGating | Any = mechanism.gating if isinstance(mechanism, Channel) else mechanism
    state = trajectory(gating, plan, bath)
    current = jax.vmap(lambda s, v: mechanism.exchange(s, v, bath).current)(state, plan.v)
    return state, current
