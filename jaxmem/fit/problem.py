"""Experiments, a model and its free parameters as compiled functions of one lane's search coordinates."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..results import InputError
from .compress import compress
from .experiment import Experiment
from .parameters import Free

Data = tuple[Float[Array, "lanes traces samples"], ...]
_APART = 16  # up to so many parameters are differentiated one by one; more would compile for too long


class Problem(eqx.Module):
    """What a fit minimizes. Its arrays are arguments of the compiled functions: other data of the same shape
    do not recompile."""

    experiments: tuple[Experiment, ...]
    model: Any
    free: Free = eqx.field(static=True)

    def place(self, x: Float[Array, " p"]) -> Any:
        """The model at search coordinates."""
        return self.free.place(self.model, self.free.from_search(x))

    def residuals(self, x: Float[Array, " p"]) -> list[Float[Array, " residuals"]]:
        """The residuals of every experiment, each divided by its sigma."""
        model = self.place(x)
        return [experiment.residuals(model) for experiment in self.experiments]

    def with_data(self, data: Sequence[Any] | None) -> "Problem":
        """The same with other data in every experiment; as it is without any."""
        if data is None:
            return self
        pairs = zip(self.experiments, data, strict=True)
        changed = tuple(eqx.tree_at(lambda e: e.data, experiment, jnp.asarray(d)) for experiment, d in pairs)
        return dataclasses.replace(self, experiments=changed)

    @property
    def count(self) -> int:
        """Number of used samples in all experiments."""
        return sum(experiment.count for experiment in self.experiments)


def make_problem(experiments: Experiment | Sequence[Experiment], model: Any, free: Free) -> Problem:
    """The problem of fitting a model to experiments.

    **Raises** `InputError` if there is no experiment, numbers are not in float64, or a free parameter is not
    in the model.
    """
    if isinstance(experiments, Experiment):
        experiments = (experiments,)
    if not experiments or not all(isinstance(e, Experiment) for e in experiments):
        raise InputError("A fit needs a list of experiments, such as [jm.fit.VoltageClamp(recording, bath)].")
    if not isinstance(free, Free):
        raise InputError(f"Argument `free` must come from jm.fit.free(...), but is a {type(free).__name__}.")
    require_float64()
    model = jax.tree.map(lambda leaf: jnp.asarray(leaf) if eqx.is_inexact_array(leaf) else leaf, model)
    narrow = [e.name for e in experiments if jnp.result_type(e.data) != jnp.float64]
    narrow += ["the model"] if any(jnp.result_type(m) == jnp.float32 for m in _floats(model)) else []
    if narrow:
        raise InputError(
            f"A fit needs float64, but {', '.join(narrow)} was made in float32; set jax_enable_x64 before it is made."
        )
    return Problem(tuple(e.prepare(model) for e in experiments), model, free.bind(model))


def require_float64() -> None:
    """Refuses to fit in float32: Jacobians lose their small directions in it.

    **Raises** `InputError` with the line to type.
    """
    if jnp.result_type(float) != jnp.float64:
        raise InputError(
            'A fit needs float64; type `jax.config.update("jax_enable_x64", True)` before making the data.'
        )


def _floats(tree: Any) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(tree) if eqx.is_inexact_array(leaf)]


def half_squares(problem: Problem, x: Float[Array, " p"]) -> Float[Array, ""]:
    """Half the sum of the squared residuals."""
    return 0.5 * sum((jnp.sum(r**2) for r in problem.residuals(x)), start=jnp.zeros(()))


def columns(
    problem: Problem, x: Float[Array, " p"]
) -> tuple[list[Float[Array, "residuals columns"]], Float[Array, "p p"]]:
    """[J r] of every experiment, J being the exact Jacobian by physical values, and the values' own Jacobian
    by the search coordinates.

    Forward mode. One parameter at a time where most reach only a part of the model: what a parameter does not
    touch is then not computed. All in one pass where every parameter reaches everything; reverse mode if
    there are fewer residuals than parameters.
    """
    values, chain = physical(problem, x)

    def residuals(values: Any) -> list[Float[Array, " residuals"]]:
        model = problem.free.place(problem.model, values)
        return [experiment.residuals(model) for experiment in problem.experiments]

    shapes = eqx.filter_eval_shape(residuals, values)
    if sum(r.size for r in shapes) < x.size:
        found, slopes = residuals(values), [j.T for j in jax.jacrev(residuals)(values)]
    elif x.size > _APART or any(experiment.dense for experiment in problem.experiments):
        basis = jnp.eye(x.size, dtype=x.dtype)
        found, slopes = jax.vmap(lambda t: jax.jvp(residuals, (values,), (t,)), out_axes=(None, 0))(basis)
    else:
        parts = [values[k] for k in range(x.size)]

        def along(k: int) -> Any:
            run = lambda value: residuals([*parts[:k], value, *parts[k + 1 :]])
            return jax.jvp(run, (parts[k],), (jnp.ones_like(parts[k]),))

        runs = [along(k) for k in range(x.size)]
        found = runs[0][0]
        slopes = [jnp.stack(columns) for columns in zip(*(run[1] for run in runs), strict=True)]
    return [jnp.concatenate([j, r[None]]).T for r, j in zip(found, slopes, strict=True)], chain


def _in_search(columns: Float[Array, "rows columns"], chain: Float[Array, "p p"]) -> Float[Array, "rows columns"]:
    """[J r] by search coordinates from [J r] by physical values."""
    slopes = jnp.matmul(columns[:, :-1], chain, precision=jax.lax.Precision.HIGHEST)
    return jnp.concatenate([slopes, columns[:, -1:]], 1)


def linearized(problem: Problem, x: Float[Array, " p"]) -> list[Float[Array, "residuals columns"]]:
    """[J r] of every experiment: the exact Jacobian in search coordinates, with the residuals as its last
    column."""
    parts, chain = columns(problem, x)
    return [_in_search(part, chain) for part in parts]


def triangle(problem: Problem, x: Float[Array, " p"]) -> Float[Array, "rows columns"]:
    """The triangle R of a QR factorization of [J r], experiments stacked; at most p + 1 rows."""
    parts, chain = columns(problem, x)
    stacked = [_in_search(compress(part), chain) for part in parts]
    return compress(jnp.concatenate(stacked))


def physical(problem: Problem, x: Float[Array, " p"]) -> tuple[Float[Array, " p"], Float[Array, "p p"]]:
    """The values at search coordinates, and their derivatives by them."""
    return problem.free.from_search(x), jax.jacfwd(problem.free.from_search)(x)


def _over_lanes(function: Callable[[Problem, Any], Any]) -> Callable[..., Any]:
    """A function of (problem, x) for many x at once, (lanes, p), compiled; each with its own data if they are given."""

    def many(problem: Problem, x: Float[Array, "lanes p"], data: Data | None = None) -> Any:
        return eqx.filter_vmap(lambda x, data: function(problem.with_data(data), x))(x, data)

    return eqx.filter_jit(many)


loss_of_one = eqx.filter_jit(half_squares)
triangle_of_one = eqx.filter_jit(triangle)
linearized_of_one = eqx.filter_jit(linearized)
physical_of_one = eqx.filter_jit(physical)
loss_of_many = _over_lanes(half_squares)
triangle_of_many = _over_lanes(triangle)


class Evaluate:
    """The functions of a lane, from numpy to numpy."""

    def __init__(self, problem: Problem):
        self.problem = problem

    def loss(self, x: Float[np.ndarray, " p"]) -> float:
        """Half the sum of squares."""
        return float(loss_of_one(self.problem, jnp.asarray(x)))

    def triangle(self, x: Float[np.ndarray, " p"]) -> Float[np.ndarray, "rows columns"]:
        """The triangle of [J r]."""
        return np.asarray(triangle_of_one(self.problem, jnp.asarray(x)))
