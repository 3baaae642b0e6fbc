"""The step inside a box and a ball."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from jaxmem.fit.box import bounded_step, damped_step


@pytest.mark.parametrize("damping", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(12))
def test_damped_step_is_the_bounded_linear_fit(seed, damping):
    rng = np.random.default_rng(seed)
    p = int(rng.integers(1, 8))
    a, b = rng.normal(size=(p + 3, p)), rng.normal(size=p + 3)
    low, high = -rng.uniform(0, 0.4, p), rng.uniform(0, 0.4, p)
    high[rng.random(p) < 0.2] = 0.0
    z, free = damped_step(a, b, low, high, damping)
    rows = np.vstack([a, np.sqrt(damping) * np.eye(p)])
    target = np.concatenate([-b, np.zeros(p)])
    peer = lsq_linear(rows, target, (low, np.maximum(high, 1e-300)), method="bvls", tol=1e-14).x
    assert np.all((z >= low) & (z <= high))
    assert np.allclose(z, peer, atol=1e-9)
    assert not np.any(free & ((z <= low) | (z >= high)))


@pytest.mark.parametrize("seed", range(12))
def test_bounded_step_is_as_long_as_the_radius_and_better_than_other_points(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(6, 4)), 5.0 * rng.normal(size=6)
    low, high = np.full(4, -0.3), np.full(4, 0.5)
    radius = 0.35
    z = bounded_step(a, b, low, high, radius)
    assert np.all((z >= low) & (z <= high))
    assert 0.9 * radius <= np.linalg.norm(z) <= 1.1 * radius
    others = np.clip(rng.normal(size=(5000, 4)), low, high)
    others *= np.minimum(1.0, np.linalg.norm(z) / np.linalg.norm(others, axis=1))[:, None]
    assert np.linalg.norm(a @ z + b) <= np.linalg.norm(others @ a.T + b, axis=1).min() + 1e-12


def test_a_long_radius_gives_the_full_step_also_if_columns_are_dependent():
    a = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]])
    z = bounded_step(a, np.array([-1.0, -2.0, 3.0]), np.full(2, -9.0), np.full(2, 9.0), 100.0)
    assert np.allclose(z, 0.5)


def test_a_step_whose_only_length_lies_on_a_bound_is_shortened():
    z = bounded_step(np.eye(2), np.array([-5.0, 0.0]), np.full(2, -0.5), np.full(2, 0.5), 0.3)
    assert 0.27 <= z[0] <= 0.33
    assert z[1] == 0.0
