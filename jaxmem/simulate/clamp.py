"""The voltage clamp: the current of a membrane under an imposed voltage."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float

from ..channel import Channel
from ..electrochemistry import Bath, as_bath
from ..protocols import Protocol
from ..results import RESULTS, InputError, raise_failures
from .exact import Exact, needs, respond
from .plan import Plan, make_plan, sweep_axes


class Trace(eqx.Module):
    """What a clamp records; with a family of commands every field but `t` has a leading axis of sweeps.

    **Arguments:** `t` [ms], `v` [mV], `current` [pA], `open_probability` and `state`: one entry per
    mechanism (None where it has no gate); `result`: a code of `RESULTS` per sweep.
    """

    t: Float[Array, " samples"]
    v: Float[Array, "*sweeps samples"]
    current: Float[Array, "*sweeps samples"]
    currents: tuple[Float[Array, "*sweeps samples"], ...]
    open_probability: tuple[Float[Array, "*sweeps samples"] | None, ...]
    state: tuple[Any, ...]
    result: RESULTS


def plan_clamp(model: Any, protocol: Protocol, t: Any, method: Exact | None = None) -> Plan:
    """The layout of a clamp, made once on the host and then used for any values of the model's parameters."""
    return make_plan(protocol, t, (method or Exact()).step, **needs(model))


def clamp(model: Any, plan: Plan, bath: Bath) -> Trace:
    """The clamp as a pure function of model, plan and bath, without checks: what a loss differentiates."""
    family = plan.t.ndim == 2
    if not family:
        return _sweep(model, plan, bath)
    trace = jax.vmap(lambda p: _sweep(model, p, bath), in_axes=(sweep_axes(plan),))(plan)
    return eqx.tree_at(lambda x: x.t, trace, trace.t[0])


def _sweep(model: Any, plan: Plan, bath: Bath) -> Trace:
    mechanisms = model if isinstance(model, tuple) else (model,)
    states, currents = zip(*(respond(m, plan, bath) for m in mechanisms), strict=True)
    total = sum(currents[1:], currents[0])
    opened = tuple(
        m.gating.open_probability(s, plan.v) if isinstance(m, Channel) else None
        for m, s in zip(mechanisms, states, strict=True)
    )
    finite = jnp.all(jnp.isfinite(total))
    result = RESULTS.where(finite, RESULTS.successful, RESULTS.nonfinite_result)
    given = [x for x in jax.tree.leaves((model, bath, plan.v)) if eqx.is_inexact_array(x)]
    sound = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in given]))
    result = RESULTS.where(sound, result, RESULTS.nonfinite_input)
    return Trace(plan.t, plan.v, jnp.where(finite, total, jnp.nan), currents, opened, states, result)


_clamp = eqx.filter_jit(clamp)


def voltage_clamp(
    model: Any,
    protocol: Protocol,
    t: Any,
    *,
    bath: Bath | float,
    method: Exact | None = None,
    throw: bool = True,
) -> Trace:
    """The current of a mechanism, or of several together, under a voltage command.

    It starts in the steady state at the protocol's holding voltage.

    **Arguments:** `model`: a mechanism or a tuple of them; `protocol`: a command, or a family (one sweep
    each); `t` [ms] (samples,): when to sample, not before the protocol's start; `bath`: a `Bath`, or a
    temperature [K] where no concentration is needed; `method`: `Exact()`.
    **Returns:** a `Trace`.
    **Raises:** `InputError` for bad times or a bad command; with `throw` an error if a result is not finite
    (`trace.result` holds the code of each sweep otherwise).
    """
    if not isinstance(protocol, Protocol):
        raise InputError(
            f"Argument `protocol` must be a Protocol (see jaxmem.protocols), but is a {type(protocol).__name__}."
        )
    plan = plan_clamp(model, protocol, t, method)
    trace = _clamp(model, plan, as_bath(bath))
    if throw and not any(isinstance(x, Tracer) for x in jax.tree.leaves((trace.current, trace.result))):
        raise_failures(trace.result)
    return trace
