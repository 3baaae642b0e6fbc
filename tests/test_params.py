"""Parameters: declared once, listed everywhere, strongly typed."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import gating, kinetics, params, rates, units
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Ca
from jaxmem.permeation import Ohmic


class Model(eqx.Module):
    g: jax.Array = params.param("nS", params.positive)
    share: jax.Array | None = params.param("", params.unit_interval)
    label: str = eqx.field(static=True)


def channel():
    gate = gating.Gate(rates.Exponential(0.1, 0.05), rates.Exponential(0.2, -0.04))
    return Channel(gating.HodgkinHuxley((gate,), (1,)), Ohmic(2.0, reversal=-88.0))


def test_a_model_lists_its_parameters_in_field_order():
    entries = params.parameters(channel())
    assert [entry.path for entry in entries] == [
        "gating.gates[0].opening.a",
        "gating.gates[0].opening.b",
        "gating.gates[0].closing.a",
        "gating.gates[0].closing.b",
        "permeation.g",
        "permeation.reversal",
        "number",
    ]
    assert [entry.unit for entry in entries] == ["1/ms", "1/mV", "1/ms", "1/mV", "nS", "mV", ""]
    assert [entry.domain.name for entry in entries] == [
        "positive",
        "real",
        "positive",
        "real",
        "positive",
        "real",
        "positive",
    ]
    assert [float(entry.value) for entry in entries] == pytest.approx([0.1, 0.05, 0.2, -0.04, 2.0, -88.0, 1.0])


def test_absent_parameters_are_not_listed():
    assert [entry.path for entry in params.parameters(Model(1.0, None, "x"))] == ["g"]
    assert [entry.path for entry in params.parameters(Model(1.0, 0.5, "x"))] == ["g", "share"]


def test_containers_are_walked():
    rate = rates.Constant(1.0)
    assert [entry.path for entry in params.parameters((rate, rate))] == ["[0].k", "[1].k"]
    assert [entry.path for entry in params.parameters({"K": rate}, "m")] == ["m['K'].k"]
    scheme = kinetics.scheme({("C", "O"): (rate, rates.Binding(2.0, Ca, True))})
    assert [entry.path for entry in params.parameters(scheme)] == ["forward[0].k", "backward[0].k"]


def test_describe_is_a_table():
    lines = params.describe(channel()).splitlines()
    assert lines[0].split() == ["parameter", "value", "unit", "domain"]
    assert lines[1].split() == ["gating.gates[0].opening.a", "0.1", "1/ms", "positive"]
    assert len(lines) == 8
    batch = jax.vmap(lambda k: rates.Constant(k))(jnp.ones(3))
    assert "array (3,)" in params.describe(batch)


def test_describe_works_under_a_trace():
    seen = []

    @jax.jit
    def f(k):
        seen.append(params.describe(rates.Constant(k)))
        return k

    f(jnp.ones(()))
    assert "1/ms" in seen[0]


def test_numbers_become_arrays_of_the_default_dtype_and_are_not_weak():
    for value in (1, 1.0, np.int64(1), True, np.float64(1.0), np.ones(2)):
        array = params.as_array(value)
        assert array.dtype == jnp.result_type(float)
        assert not array.weak_type
    assert params.as_array(None) is None


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_floating_arrays_keep_their_dtype(dtype):
    assert params.as_array(np.ones(2, dtype)).dtype == dtype
    assert params.as_array(jnp.ones((), dtype)).dtype == dtype


def test_python_numbers_of_different_value_do_not_retrace():
    traces = []

    @eqx.filter_jit
    def f(rate):
        traces.append(1)
        return rate.k

    for k in (1, 2.0, np.float64(3.0) if jax.config.jax_enable_x64 else np.float32(3.0), jnp.asarray(4.0)):
        f(rates.Constant(k))
    assert len(traces) == 1


def test_domains():
    assert params.positive.contains(1.0) and not params.positive.contains(-1e-30)
    assert params.unit_interval.contains(1.0) and not params.unit_interval.contains(1.0 + 1e-12)
    assert params.real.contains(-1e300)
    for domain in (params.real, params.positive, params.unit_interval):
        assert not domain.contains(float("nan"))
        assert not domain.contains(float("inf"))


def test_every_unit_of_a_parameter_is_known():
    """`1/mV` and the like must convert, or a model file could not carry them."""
    for entry in params.parameters(channel()):
        assert units.factor(entry.unit) == 1.0
