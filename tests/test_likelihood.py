"""Likelihoods of residuals against scipy."""

import jax.numpy as jnp
import numpy as np
import scipy.stats

from jaxmem import likelihood

R = np.random.default_rng(0).normal(size=40).astype(jnp.result_type(float))


def close(a, b):
    return np.isclose(float(a), float(b), rtol=50 * float(jnp.finfo(R.dtype).eps) ** 0.9)


def test_squared_error_is_half_the_sum_over_sigma():
    assert close(likelihood.squared_error(R, 2.0), np.sum(R**2) / 8.0)


def test_gaussian_is_the_normal_density():
    assert close(likelihood.gaussian(R, 0.7), scipy.stats.norm.logpdf(R, scale=0.7).sum())


def test_unknown_sigma_is_the_best_of_all():
    best = float(likelihood.gaussian_unknown_sigma(R))
    assert close(best, likelihood.gaussian(R, float(np.sqrt(np.mean(R**2)))))
    assert all(float(likelihood.gaussian(R, s)) < best for s in (0.5, 0.9, 1.5, 2.0))


def test_left_out_samples_count_neither_way():
    padded = np.concatenate([R, np.zeros(7, R.dtype)])
    for function, words in ((likelihood.gaussian, (0.7,)), (likelihood.gaussian_unknown_sigma, ())):
        assert close(function(padded, *words, count=R.size), function(R, *words))


def test_criteria_punish_parameters():
    assert likelihood.aic(-10.0, 3) == 26.0
    assert np.isclose(likelihood.bic(-10.0, 3, 100), 20.0 + 3.0 * np.log(100.0))
