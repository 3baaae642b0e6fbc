"""How often the clamp is traced: new numbers at the same sizes use the program that is there."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import protocols as P
from jaxmem.channel import Channel
from jaxmem.electrochemistry import as_bath
from jaxmem.gating import Gate, HodgkinHuxley, Markov, as_scheme
from jaxmem.permeation import AbstractPermeation, Exchange
from jaxmem.rates import Exponential
from jaxmem.simulate import clamp, plan_clamp, voltage_clamp

TRACED = []


class Counted(AbstractPermeation):
    """An Ohmic conductance that notes each time it is traced."""

    g: jax.Array

    def exchange(self, v, bath):
        TRACED.append(1)
        nothing = jnp.zeros((len(bath.species),), v.dtype)
        return Exchange(nothing, nothing, self.g * (v + 80.0))


def model(kind, a=0.3, g=2.0):
    gate = Gate(Exponential(a, 0.02), Exponential(0.1, -0.03))
    gating = HodgkinHuxley((gate,), (2,)) if kind == "gates" else Markov(as_scheme(gate), ("open",))
    return Channel(gating, Counted(jnp.asarray(g, jnp.result_type(float))))


T_SAMPLES = np.arange(160) * 0.5


def steps(v=20.0, first=10.0):
    return P.step(-80.0, first) + P.step(v, 40.0) + P.step(-100.0, 20.0)


def sine(v=20.0):
    return P.step(-80.0, 10.0) + P.sine(-20.0, [v], [0.2], 40.0)


RUNS = {
    "parameters": lambda k: (model(k, a=0.4, g=3.0), steps(), T_SAMPLES, 300.0),
    "numpy parameters": lambda k: (model(k, a=np.asarray(0.4, jnp.result_type(float))), steps(), T_SAMPLES, 300.0),
    "temperature": lambda k: (model(k), steps(), T_SAMPLES, 310.0),
    "voltage": lambda k: (model(k), steps(30.0), T_SAMPLES, 300.0),
    "integer voltage": lambda k: (model(k), steps(30), T_SAMPLES, 300.0),
    "holding": lambda k: (model(k), steps().held_at(-60.0), T_SAMPLES, 300.0),
    "duration": lambda k: (model(k), steps(first=15.0), T_SAMPLES, 300.0),
    "later": lambda k: (model(k), steps().delayed(3.0), T_SAMPLES + 3.0, 300.0),
    "faster sampling": lambda k: (
        model(k),
        P.joined([P.step(v, 5.0) for v in (-80.0, 20.0, -100.0)]),
        T_SAMPLES / 4,
        300.0,
    ),
}


@pytest.mark.parametrize("kind", ["gates", "graph"])
def test_new_numbers_do_not_compile_anew(kind):
    TRACED.clear()
    voltage_clamp(model(kind), steps(), T_SAMPLES, bath=300.0)
    once = len(TRACED)
    assert once >= 1
    for name, run in RUNS.items():
        m, command, t, bath = run(kind)
        voltage_clamp(m, command, t, bath=bath)
        assert len(TRACED) == once, name
    voltage_clamp(model(kind), steps(), T_SAMPLES[:100], bath=300.0)
    assert len(TRACED) > once  # another number of samples is another program


@pytest.mark.parametrize("kind", ["gates", "graph"])
def test_new_waves_do_not_compile_anew(kind):
    TRACED.clear()
    voltage_clamp(model(kind), sine(), T_SAMPLES, bath=300.0)
    once = len(TRACED)
    for v in (25.0, 31.0):
        voltage_clamp(model(kind), sine(v), T_SAMPLES, bath=300.0)
    assert len(TRACED) == once


@pytest.mark.parametrize("kind", ["gates", "graph"])
def test_a_loss_is_traced_once_for_plans_of_one_size(kind):
    bath = as_bath(300.0)

    @eqx.filter_jit
    @eqx.debug.assert_max_traces(max_traces=1)
    def loss(m, plan):
        return jnp.sum(clamp(m, plan, bath).current)

    for v in (10.0, 20.0, 30.0):
        loss(model(kind), plan_clamp(model(kind), steps(v), T_SAMPLES))
