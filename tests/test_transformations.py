"""What holds for every component under transformations: compiled, batched, differentiated, in single precision."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import GATINGS, MECHANISMS, PERMEATIONS, REPEATED, over
from jax.flatten_util import ravel_pytree
from numpy.testing import assert_allclose

pytestmark = pytest.mark.x64

HOLD, TEST = -80.0, 15.0
VOLTAGES = (-120.0, -80.0, -55.0, 0.0, 40.0)


def leaves(state):
    """All numbers of a state as one vector."""
    return ravel_pytree(state)[0]


def outputs(model, bath):
    """One function of parameters and voltage that runs through everything that a component does."""
    arrays, static = eqx.partition(model, eqx.is_inexact_array)
    flat, unravel = ravel_pytree(arrays)

    def run(parameters, v):
        m = eqx.combine(unravel(parameters), static)
        if not hasattr(m, "init"):
            exchange = m.exchange(v, bath)
            return jnp.append(exchange.outside, exchange.current)
        state = m.advance(m.init(jnp.asarray(HOLD, v.dtype), bath), v, bath, jnp.asarray(0.7, v.dtype))
        if hasattr(m, "exchange"):
            return jnp.append(leaves(state).astype(v.dtype), m.exchange(state, v, bath).current)
        return jnp.append(leaves(state).astype(v.dtype), m.open_probability(state, v))

    return run, flat


@functools.cache
def in_double(component):
    """What a component does, its parameters, and the same compiled, for all tests."""
    run, flat = outputs(component.build(), component.bath())
    return run, flat, jax.jit(run)


def compiled(function):
    """A function that runs once, compiled in a short time."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


EVERYTHING = (*GATINGS, *PERMEATIONS, *MECHANISMS)


@over(EVERYTHING, slow=REPEATED)
def test_jit_equals_eager_and_vmap_equals_a_loop(component):
    run, flat, fast = in_double(component)
    v = jnp.asarray(VOLTAGES)
    loop = np.stack([fast(flat, x) for x in v])
    close = {"rtol": 1e-12, "atol": 1e-14 * np.abs(loop).max()}
    for k in (0, 3):
        assert_allclose(loop[k], run(flat, v[k]), **close)
    assert_allclose(compiled(jax.vmap(run, (None, 0)))(flat, v), loop, **close)


@over(EVERYTHING, slow=REPEATED)
def test_derivatives_agree(component):
    """Forward and reverse mode to 1e-10, central differences to 1e-6, in every parameter and the voltage."""
    run, flat, fast = in_double(component)
    point = jnp.append(flat, TEST)
    whole, f = lambda x: run(x[:-1], x[-1]), lambda x: fast(x[:-1], x[-1])
    forward, reverse = compiled(jax.jacfwd(whole))(point), compiled(jax.jacrev(whole))(point)
    scale = np.abs(np.asarray(f(point)))[:, None] / (1.0 + np.abs(np.asarray(point)))
    assert_allclose(reverse, forward, rtol=1e-10, atol=1e-13 * float(scale.max() or 1.0))
    for k, x in enumerate(np.asarray(point)):
        columns = []
        for h in (2e-3 * (abs(x) or 1.0), 1e-3 * (abs(x) or 1.0)):
            unit = jnp.zeros_like(point).at[k].set(h)
            columns.append((np.asarray(f(point + unit)) - np.asarray(f(point - unit))) / (2 * h))
        # Richardson: two central differences cancel each other's error of second order.
        richardson = (4 * columns[1] - columns[0]) / 3
        floor = 1e-7 * np.abs(np.asarray(forward)[:, k]).max() + 1e-11 * float(np.abs(f(point)).max()) / (
            abs(x) or 1.0
        )
        assert_allclose(np.asarray(forward)[:, k], richardson, rtol=1e-6, atol=floor)


@over(EVERYTHING, slow=REPEATED)
def test_single_precision_is_double_precision_to_its_rounding(component):
    """Within 5e-5 of the largest output: rates carry exponents of some ten, each wrong by about 1e-6."""
    _, flat, fast = in_double(component)
    single = lambda x: jnp.asarray(x, jnp.float32) if eqx.is_inexact_array(x) else x
    low, parameters = outputs(*jax.tree.map(single, (component.build(), component.bath())))
    wanted = np.asarray(fast(flat, jnp.asarray(TEST)))
    got = compiled(low)(parameters, jnp.asarray(TEST, jnp.float32))
    assert got.dtype == jnp.float32
    assert_allclose(got, wanted, rtol=0, atol=5e-5 * np.abs(wanted).max())
