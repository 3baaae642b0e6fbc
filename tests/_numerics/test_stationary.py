import json
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem._numerics import stationary
from jaxmem._numerics.stationary import stationary_distribution

SIZES = [2, 3, 5, 8, 9, 13]  # both the written-out and the looped elimination


def exact(rates) -> list[Fraction]:
    """The stationary distribution in rational arithmetic."""
    a, columns = [[Fraction(x) for x in row] for row in rates], []
    for k in range(len(a) - 1, 0, -1):
        exits = sum(a[k][:k])
        columns.append([a[i][k] / exits for i in range(k)])
        a = [[a[i][j] + columns[-1][i] * a[k][j] for j in range(k)] for i in range(k)]
    p = [Fraction(1)]
    for column in reversed(columns):
        p.append(sum(x * y for x, y in zip(p, column, strict=True)))
    return [x / sum(p) for x in p]


def rates(states, decades, seed=0):
    q = 10.0 ** np.random.default_rng(seed + states).uniform(-decades / 2, decades / 2, (states, states))
    return q * (1 - np.eye(states))


@pytest.mark.x64
@pytest.mark.parametrize("states", SIZES)
@pytest.mark.parametrize("decades", [2, 12])
def test_every_entry_is_right_to_rounding(states, decades):
    q = rates(states, decades)
    want = np.array([float(x) for x in exact(q.tolist())])
    np.testing.assert_allclose(stationary_distribution(jnp.asarray(q)), want, rtol=2e-15)


@pytest.mark.parametrize("states", [3, 9])
def test_float32(states):
    q = rates(states, 8).astype(np.float32)
    got = stationary_distribution(jnp.asarray(q))
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, [float(x) for x in exact(q.tolist())], rtol=2e-6)


@pytest.mark.x64
def test_published_stiff_cycle(shared):
    cases = json.loads((shared / "reference" / "transport" / "cycles.json").read_text())["cases"]
    case = next(c for c in cases if c["id"] == "near_singular_stiff")
    q = np.zeros((4, 4))
    for i, j, forward, backward in case["parameters"]["edges_i_j_kf_kr"]:
        q[i - 1, j - 1], q[j - 1, i - 1] = float(forward), float(backward)
    np.testing.assert_allclose(stationary_distribution(jnp.asarray(q)), case["expected"]["p_ss"], rtol=1e-14)


@pytest.mark.x64
@pytest.mark.parametrize("mode", [jax.jacfwd, jax.jacrev])
@pytest.mark.parametrize("unrolled", [0, 8])
def test_sensitivities_to_logarithms_of_rates_are_right_to_rounding(monkeypatch, mode, unrolled):
    monkeypatch.setattr(stationary, "_UNROLLED", unrolled)
    q = rates(4, 12)
    p = np.asarray(stationary_distribution(jnp.asarray(q)))
    got = np.asarray(mode(stationary_distribution)(jnp.asarray(q))) * q / p[:, None, None]
    h = Fraction(1, 10**12)
    for i, j in zip(*np.nonzero(q), strict=True):
        changed = []
        for factor in (1 + h, 1 - h):
            a = [[Fraction(x) for x in row] for row in q.tolist()]
            a[i][j] *= factor
            changed.append(exact(a))
        want = [float((u - v) / (2 * h) / x) for u, v, x in zip(*changed, exact(q.tolist()), strict=True)]
        np.testing.assert_allclose(got[:, i, j], want, rtol=0, atol=2e-15)


@pytest.mark.x64
def test_written_out_and_looped_agree_to_second_order(monkeypatch):
    q = jnp.asarray(rates(3, 2))

    def loss(q):
        return (stationary_distribution(q) ** 3).sum()

    hessian = jax.hessian(loss)(q)
    monkeypatch.setattr(stationary, "_UNROLLED", 0)
    np.testing.assert_allclose(jax.hessian(loss)(q), hessian, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(jax.jacrev(jax.jacrev(loss))(q), hessian, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("unrolled", [0, 8])
def test_improper_chains_are_nan_and_leave_their_neighbors_alone(monkeypatch, unrolled):
    monkeypatch.setattr(stationary, "_UNROLLED", unrolled)
    good = rates(3, 2)
    zero = np.zeros((3, 3))
    two_classes = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0.0]])
    absorbed = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0.0]])
    batch = jnp.asarray(np.stack([good, zero, two_classes, absorbed, np.full((3, 3), np.inf), good * np.nan]))
    p = jax.vmap(stationary_distribution)(batch)
    np.testing.assert_array_equal(np.isnan(p).all(axis=1), [False, True, True, True, True, True])
    gradient = jax.vmap(jax.grad(lambda q: stationary_distribution(q)[0]))(batch)
    assert np.isfinite(gradient).all() and not gradient[1:].any()
    alone = jax.grad(lambda q: stationary_distribution(q)[0])(batch[0])
    np.testing.assert_allclose(gradient[0], alone, rtol=10 * jnp.finfo(alone.dtype).eps)


def test_a_state_never_entered_has_probability_zero():
    q = jnp.asarray([[0.0, 1.0, 0.0], [3.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(stationary_distribution(q), [0.75, 0.25, 0.0], rtol=1e-6)


def test_256_states():
    q = jnp.asarray(rates(256, 4))
    p = jax.jit(stationary_distribution)(q)
    flow = p[:, None] * q
    tolerance = 1e-4 if p.dtype == jnp.float32 else 1e-12
    np.testing.assert_allclose(flow.sum(axis=0), flow.sum(axis=1), rtol=tolerance)


@pytest.mark.x64
@pytest.mark.parametrize("states", [20, 70])
def test_elimination_in_stages(states):
    """Above 16 states the loop has two stages, above 64 three: value and slope are those of extended precision."""

    def precise(q):
        left, columns = q.astype(np.longdouble), []
        for k in range(states - 1, 0, -1):
            columns.append(left[:k, k] / left[k, :k].sum())
            left = left[:k, :k] + columns[-1][:, None] * left[k, :k]
        p = np.ones(1, np.longdouble)
        for column in reversed(columns):
            p = np.append(p, p @ column)
        return p / p.sum()

    q, direction = rates(states, 8), rates(states, 8) * np.random.default_rng(1).normal(size=(states, states))
    value, slope = jax.jvp(stationary_distribution, (jnp.asarray(q),), (jnp.asarray(direction),))
    np.testing.assert_allclose(value, precise(q).astype(float), rtol=1e-14)
    h = np.longdouble(1e-7)
    wanted = (precise(q + h * direction) - precise(q - h * direction)) / (2 * h)
    np.testing.assert_allclose(slope, wanted.astype(float), rtol=1e-8, atol=1e-9 * np.abs(wanted).max())
    back = jax.vjp(stationary_distribution, jnp.asarray(q))[1](jnp.arange(1.0, states + 1))[0]
    np.testing.assert_allclose(jnp.sum(back * direction), jnp.sum(slope * jnp.arange(1.0, states + 1)), rtol=1e-9)
