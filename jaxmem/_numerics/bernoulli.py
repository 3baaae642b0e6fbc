"""The Bernoulli function x/(e^x - 1) of electrodiffusion and of linoid rates."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# Below this size of x the slope comes from its power series; above it the closed form no longer cancels.
_NEAR = 1.5


def _series(terms: int) -> tuple[float, ...]:
    """B_2k/(2k-1)! for k = 1 to `terms`: the odd coefficients of the slope, from exact Bernoulli numbers."""
    numbers = [Fraction(1)]
    for m in range(1, 2 * terms + 1):
        numbers.append(-sum(math.comb(m + 1, k) * numbers[k] for k in range(m)) / (m + 1))
    return tuple(float(numbers[2 * k] / math.factorial(2 * k - 1)) for k in range(1, terms + 1))


_COEFFICIENTS = _series(17)  # (1.5/2pi)^34 is below the rounding of float64, also in the second derivative
# Below a size of 1 the value comes from its power series, too, which is cheaper than e^x - 1 without cancellation:
# B_2k/(2k)! = B_2k/(2k-1)! / 2k, of which (1/2pi)^20 is below rounding.
_VALUE = tuple(c / (2 * k) for k, c in enumerate(_COEFFICIENTS[:10], 1))


@jax.custom_jvp
def bernoulli(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """x/(e^x - 1), with value 1 at x = 0; value and derivatives are accurate to rounding for every x.

    Neither overflows nor loses digits: it tends to -x for large negative x and to zero for large positive x,
    where it is exactly zero once e^x overflows (x > 709 in float64, 88 in float32).
    Derivatives of every order in both modes stay finite.

    **Arguments:** `x`: any real array, without unit.
    """
    x, near, close, e, far = _parts(x)
    return jnp.where(near, close, jnp.where(e == jnp.inf, 0.0, x / far))


@jax.custom_jvp
def _beside_slope(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The same value where its slope is wanted, too.

    This and the slope end in their division. XLA computes a division once, but what follows one again for every use
    and for every tangent that is carried along. With the selection last, as above, the derivative of 1000 spiking squid
    axons by three conductances took 1.3 times as long in float64 and 1.2 times in float32; a run alone gains 4 %.
    """
    x, near, close, e, far = _parts(x)
    return jnp.where(near, close, jnp.where(e == jnp.inf, 0.0, x)) / far


def _rule(primals, tangents):
    (x,), (dx,) = primals, tangents
    return _beside_slope(x), _slopes(x)[0] * dx


bernoulli.defjvp(_rule)
_beside_slope.defjvp(_rule)


def _parts(x: Float[Array, "*shape"]) -> tuple[Array, Array, Array, Array, Array]:
    """x, whether it is near zero, the power series there, e^x, and e^x - 1, or 1 where that does not divide."""
    x = jnp.asarray(x)
    square = x * x
    near = square < 1.0
    even = jnp.zeros_like(square)
    for c in reversed(_VALUE[: 5 if jnp.finfo(square.dtype).bits < 64 else len(_VALUE)]):
        even = (even + c) * square
    e = jnp.exp(x)
    return x, near, 1.0 - 0.5 * x + even, e, jnp.where(near | (e == jnp.inf), 1.0, e - 1.0)


@jax.custom_jvp
def bernoulli_pair(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """B(x) and B(-x) = B(x) + x of the function `bernoulli`, each to rounding, for the price of one.

    They weigh the two ends of an interval across which an ion gains the energy x (Scharfetter & Gummel 1969).

    **Arguments:** `x`: any real array, without unit.
    """
    x = jnp.asarray(x)
    size = jnp.abs(x)
    small = bernoulli(size)
    large = small + size
    return jnp.where(x < 0, large, small), jnp.where(x < 0, small, large)


@bernoulli_pair.defjvp
def _(primals, tangents):
    (x,), (dx,) = primals, tangents
    down, up = _slopes(x)
    return bernoulli_pair(x), (down * dx, up * dx)


def _slopes(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """The slopes of B(x) and of B(-x), which is the first and one."""
    size = jnp.abs(x)
    near = size < _NEAR
    y = jnp.where(near, x, 0.0)
    square = y * y
    terms = 8 if jnp.finfo(square.dtype).bits < 64 else len(_COEFFICIENTS)
    odd = jnp.zeros_like(square)
    for c in reversed(_COEFFICIENTS[:terms]):
        odd = odd * square + c
    a = jnp.where(near, _NEAR, jnp.where(size > 1e4, 1e4, size))  # bounded: the slope at infinity is a number too
    t = jnp.exp(-a)
    d = 1.0 - t  # no digit is lost: t is below a quarter
    top, bottom = t * (d - a), d * d  # their quotient is the slope at +a; at -a it is -1 minus this
    down, up = jnp.where(x > 0, top, -bottom - top), jnp.where(x > 0, bottom + top, -top)
    below = jnp.where(near, 1.0, bottom)
    return jnp.where(near, odd * y - 0.5, down) / below, jnp.where(near, odd * y + 0.5, up) / below
