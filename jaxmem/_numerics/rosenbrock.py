"""A stiff system of ordinary differential equations: linearly implicit Rosenbrock steps of adaptive length.

One Jacobian and one factorization a step, and no iteration: what is compiled is small, and the linear invariants of the
system are kept to rounding.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox.internal as eqxi
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

# Rodas5P: order 5, embedded order 4, L-stable, stiffly accurate; in the variables that spare the product with J.
_GAMMA = 0.21193756319429014
_A = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0, 1.0),
)  # fmt: skip
_C = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
    (30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
     -28.087943162872662),
    (37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
     -54.66780262877968, -9.48861652309627),
)  # fmt: skip
_DENSE = (
    (25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204, 0.524948541321073,
     1.1241088310450404, 0.4272876194431874, -0.17202221070155493),
    (-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796, 20.176138334709044,
     15.98066361424651, -6.789040303419874, -6.710236069923372),
    (11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643, -52.072871366152654,
     -59.78993625266729, -0.15582684282751913, 4.883087185713722),
)  # fmt: skip
_STAGES = len(_A)
_SAFETY, _LEAST, _MOST = 0.9, 0.2, 6.0


def _square(rows: tuple[tuple[float, ...], ...]) -> np.ndarray:
    return np.array([[*row, *(0.0,) * (_STAGES - len(row))] for row in rows])


class Tableau(NamedTuple):
    """The numbers of Rodas5P for systems M dx/dt = F(x, t): of stages u, x_new = x + u A[-1] + u[-1], its error u[-1].

    (M/(gamma h) - J) u_i = F(x + sum_j a_ij u_j, t + alpha_i h) + M sum_j c_ij u_j / h + tau_i h dF/dt.

    - `dense` (3, stages): of the interpolant, x + s (x_new - x) + s (1 - s) (d0 + s (d1 + s d2)).
    - `share` (stages,): M (x_new - x) = h sum_i share_i (F_i + J u_i + tau_i h dF/dt), with F_i as above.
    """

    gamma: float
    a: np.ndarray
    c: np.ndarray
    dense: np.ndarray
    alpha: np.ndarray
    tau: np.ndarray
    share: np.ndarray


def rodas5p() -> Tableau:
    """Rodas5P, as `Tableau`.

    **Source:** Steinebach 2023, BIT Numer. Math. 63:27.
    """
    a, c, dense = _square(_A), _square(_C), np.array(_DENSE)
    back = np.linalg.inv(np.eye(_STAGES) - _GAMMA * c) * _GAMMA
    tau = back.sum(1)
    weights = np.append(a[-1, :-1], 1.0)
    return Tableau(_GAMMA, a, c, dense, a @ tau, tau, weights @ back)


class Carry(NamedTuple):
    """Where the solution is: the last step from `begin` to `t`, its two ends and its interpolant, the next step."""

    begin: Float[Array, ""]
    t: Float[Array, ""]
    before: Float[Array, " n"]
    y: Float[Array, " n"]
    dense: Float[Array, "3 n"]
    h: Float[Array, ""]
    error: Float[Array, ""]
    count: Int[Array, ""]


def rosenbrock(
    f: Callable[[Float[Array, ""], Int[Array, ""], Float[Array, " n"]], Float[Array, " n"]],
    y0: Float[Array, " n"],
    times: Float[Array, " samples"],
    edges: Float[Array, " edges"],
    rtol: float,
    atol: float,
    most: int,
    reverse: bool,
) -> tuple[Float[Array, "samples n"], Any]:
    """The solution of dy/dt = f(t, piece, y) from y(0) = y0 at some times, and whether it got there.

    The right-hand side may jump at the edges: between two of them it is called with the number of edges passed.

    **Arguments:** `times`, `edges`: not negative, not decreasing; `rtol`, `atol`: the error of a step relative to y,
    and absolute; `most`: steps, rejected ones too; `reverse`: whether reverse mode is to work (with checkpoints; then
    forward mode does not).
    **Source:** Steinebach 2023, BIT Numer. Math. 63:27.
    """
    dtype = y0.dtype
    a, c, dense = (jnp.asarray(x, dtype) for x in (_square(_A), _square(_C), np.array(_DENSE)))
    end = times[-1]
    identity = jnp.eye(y0.shape[0] + 1, dtype=dtype)

    def size(error, y, z):
        scaled = error / (atol + rtol * jnp.maximum(jnp.abs(y), jnp.abs(z)))
        return jnp.sqrt(jnp.mean(scaled * scaled))

    def step(carry: Carry) -> Carry:
        passed = jnp.searchsorted(edges, carry.t, side="right")
        barrier = jnp.append(edges, jnp.inf)[passed]
        left = barrier - carry.t
        last = carry.h >= left * (1.0 - 1e-9)
        h = jnp.where(last, left, jnp.where(carry.h > 0.5 * left, 0.5 * left, carry.h))

        def whole(z):  # time is one more unknown, so that what depends on it needs no derivative of its own
            return jnp.append(f(z[-1], passed, z[:-1]), 1.0)

        z = jnp.append(carry.y, carry.t)
        jacobian = jax.jacfwd(whole)(z)
        factors = jax.scipy.linalg.lu_factor(identity / (_GAMMA * h) - jacobian)

        def stage(k, row):
            place, pull, i = row
            moved = jnp.sum(place[:, None] * k, 0)
            new = jax.scipy.linalg.lu_solve(factors, whole(z + moved) + jnp.sum(pull[:, None] * k, 0) / h)
            return k.at[i].set(new), None

        k, _ = lax.scan(stage, jnp.zeros((_STAGES, z.shape[0]), dtype), (a, c, jnp.arange(_STAGES)))
        moved = jnp.sum(a[-1][:, None] * k, 0) + k[-1]
        y = carry.y + moved[:-1]
        error = lax.stop_gradient(size(k[-1, :-1], carry.y, y))
        error = jnp.where(jnp.isfinite(error), jnp.maximum(error, 1e-10), 1e10)
        accepted = error <= 1.0
        # A proportional-integral controller where steps succeed, a proportional one after a rejection.
        good = _SAFETY * error ** (-0.7 / 5.0) * carry.error ** (0.4 / 5.0)
        factor = jnp.where(accepted, jnp.clip(good, _LEAST, _MOST), jnp.clip(_SAFETY * error**-0.2, _LEAST, 1.0))
        later = jnp.where(last, barrier, carry.t + h)
        # Only a rejection says that the step was too long where a barrier had shortened it.
        base = jnp.where(accepted, jnp.maximum(h, jnp.where(h < carry.h, carry.h / _MOST, h)), h)
        taken = Carry(
            carry.t, later, carry.y, y, jnp.sum(dense[:, :, None] * k[None, :, :-1], 1), carry.h, error, carry.count
        )
        new = jax.tree.map(lambda x, old: jnp.where(accepted, x, old), taken, carry)
        return new._replace(h=lax.stop_gradient(base * factor), count=carry.count + 1)

    def reach(carry: Carry, target):
        # A step that no longer moves the time says that there is no solution to follow.
        going = lambda x: (x.t < target) & (x.count < most) & (x.t + x.h > x.t)
        loop = eqxi.while_loop(going, step, carry, max_steps=most, kind="checkpointed") if reverse else lax.while_loop(
            going, step, carry
        )  # fmt: skip
        span = loop.t - loop.begin
        share = jnp.where(span > 0, (target - loop.begin) / jnp.where(span > 0, span, 1.0), 1.0)
        inner = loop.dense[0] + share * (loop.dense[1] + share * loop.dense[2])
        y = (1.0 - share) * loop.before + share * (loop.y + (1.0 - share) * inner)
        return loop, jnp.where(target >= loop.t, loop.y, y)

    zero = jnp.zeros((), dtype)
    slope = f(zero, jnp.searchsorted(edges, zero, side="right"), y0)
    pace = size(slope, y0, y0) / jnp.maximum(size(y0, y0, y0), 1e-3 / rtol)
    h0 = lax.stop_gradient(jnp.minimum(1e-2 / jnp.maximum(pace, 1e-30), jnp.maximum(end, 1e-30)))
    start = Carry(zero, zero, y0, y0, jnp.zeros((3, *y0.shape), dtype), h0, jnp.ones((), dtype), jnp.asarray(0))
    carry, found = lax.scan(reach, start, times)
    return found, (carry.t >= end) & jnp.all(jnp.isfinite(carry.y))
