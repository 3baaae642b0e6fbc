"""Steps of fixed length for cells: exponential Euler, a staggered second-order step, Runge-Kutta.

Each function is written for one cell; `jax.vmap` runs many. A step of a cell has two halves: the gates move at the
potential, then the potential and the concentrations move with the gates.
"""

import abc
import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..cell import AbstractCell, Cell, CellState, Flows
from ..channel import Channel
from ..electrochemistry import Bath
from ..gating import Gate, HodgkinHuxley
from ..gating.gate import AbstractGate
from ..results import InputError
from .stimulus import Action, driven, stay

State = Any


def _length(dt: Any) -> float:
    """A length of step [ms] as a plain number: it lays out the run before anything is traced."""
    if isinstance(dt, Tracer):
        raise InputError("The step dt must be known before the run, but is traced; use a Python number.")
    if not 0.0 < float(dt) < np.inf:
        raise InputError(f"The step dt must be a positive number of ms, but is {float(dt):g}.")
    return float(dt)


class AbstractFixedStep(eqx.Module):
    """A method that integrates by steps of one length, `dt` [ms]."""

    dt: eqx.AbstractVar[Any]

    def check(self, cell: AbstractCell) -> None:
        """Refuses a cell that the method cannot step, and warns of steps that are too long for it."""

    def begin(self, cell: AbstractCell, state: State, h: Float[Array, ""]) -> Any:
        """What is carried from step to step, from a state."""
        return state

    @abc.abstractmethod
    def step(self, cell: AbstractCell, carry: Any, action: Action, h: Float[Array, ""]) -> Any:
        """One step of h [ms], at whose beginning `action.arrive` changes the state."""

    def state(self, cell: AbstractCell, carry: Any, h: Float[Array, ""]) -> State:
        """The state between two steps, from what is carried."""
        return carry

    def voltage(self, cell: AbstractCell, carry: Any) -> Float[Array, ""]:
        """The potential between two steps [mV]."""
        return cell.voltage(carry)


class RungeKutta(AbstractFixedStep):
    """The classical fourth-order Runge-Kutta step, for any cell; explicit, so `dt` must be short.

    **Arguments:** `dt` [ms].
    """

    dt: Any = eqx.field(converter=_length)

    def step(self, cell, carry, action, h):  # noqa: D102
        def slope(state):
            return driven(cell, state, action)

        carry = action.arrive(carry)

        def moved(k, by):
            return jax.tree.map(lambda x, dx: x + by * dx, carry, k)

        k1 = slope(carry)
        k2 = slope(moved(k1, 0.5 * h))
        k3 = slope(moved(k2, 0.5 * h))
        k4 = slope(moved(k3, h))
        mean = jax.tree.map(lambda a, b, c, d: (a + 2.0 * (b + c) + d) / 6.0, k1, k2, k3, k4)
        return moved(mean, h)


class _Exponential(AbstractFixedStep):
    """What the two methods for membranes share: gates as numbers of their own, and the two halves of a step."""

    def check(self, cell):
        if not isinstance(cell, Cell):
            raise InputError(
                f"{type(self).__name__} steps cells of membranes (cell.Cell), but this is a {type(cell).__name__}; use "
                "Adaptive() or RungeKutta(dt)."
            )
        fastest = fastest_gate(cell)
        if fastest is not None and self.dt > 2.0 * fastest:
            warnings.warn(
                f"A step of {float(self.dt):g} ms is longer than the fastest gate needs, which relaxes in "
                f"{fastest:.2g} ms; use dt = {0.5 * fastest:.2g} ms.",
                stacklevel=4,
            )


class ExponentialEuler(_Exponential):
    """Exponential Euler: gates relax exactly at the potential, the potential exactly with the gates; first order.

    **Arguments:** `dt` [ms].
    **Source:** Rush & Larsen 1978.
    """

    dt: Any = eqx.field(converter=_length)

    def begin(self, cell, state, h):  # noqa: D102
        return _split(cell, state)

    def step(self, cell, carry, action, h):  # noqa: D102
        return _membrane_half(cell, _gate_half(cell, action.arrive(carry), h, True), action, h, True)

    def state(self, cell, carry, h):  # noqa: D102
        return _joined(cell, carry)


class Staggered(_Exponential):
    """Gates half a step before the potential and the concentrations, as in leapfrog: second order for the price of
    first.

    In place of exponentials stands the trapezoidal rule, x + h (a - r x)/(1 + h r/2), whose error in the times of
    spikes is a quarter of theirs. Where a rate is so large that it would overshoot, h r > 2, the step ends at the
    steady value: gates stay between zero and one at any step.

    **Arguments:** `dt` [ms].
    **Source:** Hines 1984 for staggering; the two functions are ours.
    """

    dt: Any = eqx.field(converter=_length, default=0.025)

    def begin(self, cell, state, h):  # noqa: D102
        # The gates half a step earlier are the mirror image of those half a step later, to second order.
        carry = _split(cell, state)
        later = _gate_half(cell, carry, 0.5 * h, True)
        mirrored = jax.tree.map(lambda x, y: 2.0 * x - y, carry.mechanisms, later.mechanisms)
        return carry._replace(mechanisms=mirrored)

    def step(self, cell, carry, action, h):  # noqa: D102
        if action.arrive is not stay:  # in the middle of the gates' step, where their time is that of the potential
            carry = action.arrive(_gate_half(cell, carry, 0.5 * h, False))
            return _membrane_half(cell, _gate_half(cell, carry, 0.5 * h, False), action, h, False)
        return _membrane_half(cell, _gate_half(cell, carry, h, False), action, h, False)

    def state(self, cell, carry, h):  # noqa: D102
        return _joined(cell, _gate_half(cell, carry, 0.5 * h, True))


def _gatings(cell: Cell) -> list[list[HodgkinHuxley | None]]:
    """The gates of every mechanism that has independent ones."""
    found = [[m.gating if isinstance(m, Channel) else None for m in membrane.mechanisms] for membrane in cell.membranes]
    return [[g if isinstance(g, HodgkinHuxley) else None for g in row] for row in found]


def _split(cell: Cell, state: CellState) -> CellState:
    """The state with every gate a number of its own, so that a batch of cells has contiguous gates."""
    rows = zip(_gatings(cell), state.mechanisms, strict=True)
    split = tuple(
        tuple(s if g is None else tuple(s[k] for k in range(len(g.gates))) for g, s in zip(gates, states, strict=True))
        for gates, states in rows
    )
    return state._replace(mechanisms=split)


def _joined(cell: Cell, state: CellState) -> CellState:
    rows = zip(_gatings(cell), state.mechanisms, strict=True)
    joined = tuple(
        tuple(s if g is None else jnp.stack(s) for g, s in zip(gates, states, strict=True)) for gates, states in rows
    )
    return state._replace(mechanisms=joined)


def _gate_half(cell: Cell, carry: CellState, h: Float[Array, ""], exact: bool) -> CellState:
    """The mechanisms moved by h at the potentials and concentrations of the carry."""
    moved = []
    for membrane, gates, states, v in zip(cell.membranes, _gatings(cell), carry.mechanisms, carry.v, strict=True):
        bath = cell.bath(carry, membrane)
        row = []
        for mechanism, gating, state in zip(membrane.mechanisms, gates, states, strict=True):
            if gating is None:
                row.append(mechanism.advance(state, v, bath, h))
            else:
                row.append(tuple(_relaxed(g, x, v, bath, h, exact) for g, x in zip(gating.gates, state, strict=True)))
        moved.append(tuple(row))
    return carry._replace(mechanisms=tuple(moved))


def _relaxed(
    gate: AbstractGate, x: Float[Array, ""], v: Float[Array, ""], bath: Bath, h: Float[Array, ""], exact: bool
) -> Float[Array, ""]:
    if exact:
        steady, rate = gate.relaxation(v, bath)
        return steady + (x - steady) * jnp.exp(-rate * h)
    if isinstance(gate, Gate):  # without the quotient of its rates
        a, b = gate.opening(v, bath), gate.closing(v, bath)
        rate, push = a + b, a - (a + b) * x
    else:
        steady, rate = gate.relaxation(v, bath)
        push = rate * (steady - x)
    return x + push * h * _growth(rate * h, False)[0]


def _growth(z: Float[Array, ""], exact: bool) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """(1 - e^-z)/z, and its mean over the step, (z - 1 + e^-z)/z^2; or what the trapezoidal rule has in their place."""
    if not exact:
        stiff = z > 2.0
        slow, fast = jnp.where(stiff, 1.0, z), jnp.where(stiff, z, 2.0)
        # Not `maximum`: its derivative asks which side is equal to it, and code that is computed again in reverse mode
        # may round otherwise the second time, so that neither is.
        end = 1.0 / jnp.where(stiff, z, 1.0 + 0.5 * z)
        return end, jnp.where(stiff, (1.0 - 1.0 / fast) / fast, 0.5 / (1.0 + 0.5 * slow))
    small = jnp.abs(z) < 0.1
    y = jnp.where(small, 1.0, z)
    near = [sum(c * z**k for k, c in enumerate(row)) for row in _SERIES]
    whole = -jnp.expm1(-y) / y
    return jnp.where(small, near[0], whole), jnp.where(small, near[1], (1.0 - whole) / y)


_FACTORIALS = [1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40320.0, 362880.0, 3628800.0]
_SERIES = [[(-1.0) ** k / _FACTORIALS[k + n] for k in range(9)] for n in (1, 2)]


def _membrane_half(cell: Cell, carry: CellState, action: Action, h: Float[Array, ""], exact: bool) -> CellState:
    """Potentials and contents moved by h with the gates of the carry.

    The currents are linear in the potential, or taken to be, which gives its mean over the step; what crosses at that
    mean, and at the contents in the middle of the step, charges the membranes and fills the compartments alike.
    """
    state = _joined(cell, carry)
    after, mean = [], []
    for k, (membrane, states, v) in enumerate(zip(cell.membranes, state.mechanisms, state.v, strict=True)):
        bath = cell.bath(state, membrane)

        def current(x, membrane=membrane, states=states, bath=bath, first=k == 0):
            out = membrane.exchange(states, x, bath).current
            return out - action.inject(x) if first else out

        i, g = jax.jvp(current, (v,), (jnp.ones_like(v),))
        end, middle = _growth(h * g / membrane.capacitance, exact)
        push = -i * h / membrane.capacitance
        after.append(v + push * end)
        mean.append(v + push * middle)
    if not cell.finite:
        return carry._replace(v=tuple(after))
    half = _filled(state, cell.flows(state, mean, action.inject, action.supply), 0.5 * h)
    return _filled(carry, cell.flows(half, mean, action.inject, action.supply), h)


def _filled(state: CellState, flow: Flows, h: Float[Array, ""]) -> CellState:
    add = lambda x, dx: x + h * dx
    return state._replace(
        v=jax.tree.map(add, state.v, flow.dv),
        amounts=jax.tree.map(add, state.amounts, flow.amounts),
        volumes=jax.tree.map(add, state.volumes, flow.water),
        links=jax.tree.map(add, state.links, flow.links),
    )


def fastest_gate(cell: Cell) -> float | None:
    """The shortest time [ms] in which an independent gate relaxes between -90 and +40 mV; None if that is not known."""
    if any(isinstance(x, Tracer) for x in jax.tree.leaves(cell)) or any(np.ndim(m.capacitance) for m in cell.membranes):
        return None
    rates = []
    for membrane, gatings in zip(cell.membranes, _gatings(cell), strict=True):
        solutions = [cell.compartments[n].solution for n in (membrane.inside, membrane.outside)]
        bath = Bath(solutions[0], solutions[1], cell.temperature)
        v = jnp.linspace(-90.0, 40.0, 14, dtype=cell.temperature.dtype)
        rates += [float(jnp.max(g.relaxation(v, bath)[1])) for g in gatings if g is not None]
    return 1.0 / max(rates) if rates and max(rates) > 0.0 else None
