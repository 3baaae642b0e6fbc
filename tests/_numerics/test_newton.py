"""Newton's method for unknowns of very different size, and its derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem._numerics.newton import factor, newton

pytestmark = pytest.mark.x64


def equations(p, x):
    """x = (sqrt(p) 1e-8, 25 ln(3 p + ...), ...): rows and columns differ by thirty decades."""
    a, b, c = x
    return jnp.stack([1e6 * (a * a - 1e-16 * p), jnp.exp(b / 25.0) - 3.0 * p, 1e-9 * (c**3 - 1e30 * p * b)])


def solution(p):
    b = 25.0 * jnp.log(3.0 * p)
    return jnp.stack([1e-8 * jnp.sqrt(p), b, 1e10 * jnp.cbrt(p * b)])


def solve(p):
    return newton(lambda x: equations(p, x), jnp.asarray([1e-6, 10.0, 1e12]))


def test_zero_and_its_derivatives_are_exact_to_rounding():
    def derivatives(function):
        both = lambda p: (function(p), jax.jacrev(function)(p))
        return jax.jit(lambda p: jax.jvp(both, (p,), (jnp.ones_like(p),)))(jnp.asarray(2.0))

    (value, reverse), (forward, second) = derivatives(solve)
    (known, slope), (_, bend) = derivatives(solution)
    np.testing.assert_allclose(value, known, rtol=1e-15)
    np.testing.assert_allclose(reverse, slope, rtol=1e-13)
    np.testing.assert_allclose(forward, slope, rtol=1e-13)
    np.testing.assert_allclose(second, bend, rtol=1e-12)


def test_lanes_without_zero_leave_the_others_alone():
    def lanes(q):
        return jax.vmap(lambda p: solve(p * q))(jnp.asarray([2.0, -1.0, 3.0]))

    slope, found = jax.jit(jax.grad(lambda q: (jnp.nansum(lanes(q)[:, 1]), lanes(q)), has_aux=True))(1.0)
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[0], solution(2.0), rtol=1e-15)
    assert slope == pytest.approx(50.0, rel=1e-13)  # 25 d ln(3 p q)/dq = 25, twice


def test_scaled_factors_solve_and_have_the_sign_of_the_determinant():
    a = jnp.asarray([[0.0, 2e8, 1.0], [3e-9, 1.0, 0.0], [1.0, 0.0, 4e9]])
    x = jnp.asarray([1e9, 2.0, 3e-3])

    @jax.jit
    def read(a):
        ready = factor(a)
        return ready.solve(a @ x), ready.sign, ready.condition

    solved, sign, condition = read(a)
    np.testing.assert_allclose(solved, x, rtol=1e-13)
    assert sign == np.sign(np.linalg.det(np.asarray(a)))
    assert read(a[::-1])[1] == -sign
    assert read(a.at[2].set(2.0 * a[1]))[2] < 1e-15 < 1e-3 < condition
