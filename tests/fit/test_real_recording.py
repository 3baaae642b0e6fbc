"""A published hERG recording: 80 000 samples of a sine-wave protocol, several lanes at once."""

import jax
import numpy as np
import pytest

from jaxmem import datasets
from jaxmem.fit import Threads, VoltageClamp, held_out, least_squares
from jaxmem.fit.problem import Evaluate, linearized_of_one, make_problem

pytestmark = [pytest.mark.x64, pytest.mark.slow]
SOURCE = datasets.beattie_2018


def experiment(protocol):
    return VoltageClamp(SOURCE.load(5, protocol), SOURCE.temperature(5))


def test_the_published_best_is_reached_and_action_potentials_are_predicted(shared):
    found = least_squares(
        [experiment("sine_wave")], SOURCE.model(5), SOURCE.free(5), key=jax.random.key(0), starts=6,
        executor=Threads(2),
    )  # fmt: skip
    assert found.rmse_over_range <= 1.004 * 0.0073024
    assert found.fraction_within_1_percent > 0.5
    assert held_out(found, experiment("ap")).rmse_over_range <= 0.0167
    ratio = found.standard_errors / found.naive_errors
    assert np.all((ratio > 5) & (ratio < 100))  # neighbors are far from independent


def test_the_triangle_has_the_products_of_the_jacobian(shared):
    problem = make_problem([experiment("sine_wave")], SOURCE.model(5), SOURCE.free(5))
    x = problem.free.to_search(problem.free.draw(jax.random.key(1), 1)[0])
    (columns,) = (np.asarray(part) for part in linearized_of_one(problem, jax.numpy.asarray(x)))
    triangle = Evaluate(problem).triangle(x)
    size = np.linalg.norm(columns, axis=0)
    size[size == 0] = 1.0
    assert np.allclose((triangle / size).T @ (triangle / size), (columns / size).T @ (columns / size), atol=1e-10)
