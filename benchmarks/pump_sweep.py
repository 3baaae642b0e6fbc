"""How fast is the turnover of a pump for many parameter sets?

The four-state Na/K pump with the constants of Pan et al. (2019) varied at random, 100 000 sets at 21 voltages each, in
one call. The peer is a loop in which scipy solves the steady state of each generator by a null space. Errors are of the
turnover against the closed form.

    python benchmarks/pump_sweep.py [--quick] [--only PEER] [--cores 0,1]
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from _timing import Row, compiled, measure, run

SETS, VOLTAGES = 100_000, np.linspace(-150.0, 60.0, 21)
T = 310.0
INSIDE = {"Na": 10.0, "K": 140.0, "ATP": 6.95, "ADP": 0.035, "Pi": 0.3971, "H": 8.1e-5}
OUTSIDE = {"Na": 140.0, "K": 5.4}


def factors(count: int) -> np.ndarray:
    """What the rate constants are multiplied by, (sets, 8)."""
    return np.exp(np.random.default_rng(0).normal(0.0, 0.3, (count, 8)))


RATES = ("k1p", "k2p", "k3p", "k4p", "k1m", "k2m", "k3m", "k4m")


def _bath():
    from jaxmem import electrochemistry as ec

    inside = {getattr(ec, name): c for name, c in INSIDE.items()}
    outside = {getattr(ec, name): OUTSIDE.get(name, 0.0) for name in INSIDE}
    return ec.Bath(inside, outside, T)


def _jaxmem(quick: bool) -> Iterator[Row]:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    from jaxmem import kinetics
    from jaxmem.transport import post_albers

    bath, v = _bath(), jnp.asarray(VOLTAGES)
    count = SETS // 100 if quick else SETS
    varied = jnp.asarray(factors(count))

    def pump(row):
        return post_albers.pan_2019(**{k: post_albers.PAN_2019[k] * row[n] for n, k in enumerate(RATES)})

    def by_elimination(varied):
        def one(row):
            model = pump(row)
            return jax.vmap(lambda v: kinetics.turnover(model, v, bath).flux[0])(v)

        return jax.lax.map(one, varied, batch_size=500)

    def in_closed_form(varied):
        return jax.lax.map(lambda row: pump(row).turns(v, bath), varied, batch_size=500)

    def slopes(varied):
        one = lambda row, v: kinetics.turnover(pump(row), v, bath).flux[0]
        return jax.lax.map(lambda row: jax.vmap(lambda v: jax.grad(one)(row, v))(v), varied, batch_size=500)

    exact = np.asarray(jax.jit(in_closed_form)(varied))
    for task, function in (
        ("turnover, state elimination", by_elimination),
        ("turnover, closed form", in_closed_form),
        ("derivatives by 8 rates, state elimination", slopes),
    ):
        ready, seconds = compiled(function, varied)
        errors = {} if function is slopes else {"turnover": float(np.abs(ready(varied) / exact - 1.0).max())}
        timing = measure(partial(ready, varied), runs=2 if quick else 5)
        scaled = {key: timing[key] * SETS / count for key in ("median", "low", "high")}
        yield Row("jaxmem", task, **scaled, runs=timing["runs"], setup=seconds, errors=errors)


def _scipy(quick: bool) -> Iterator[Row]:
    import time

    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import scipy.linalg

    from jaxmem.transport import post_albers

    bath, count = _bath(), 10 if quick else 100
    # Rates are made beforehand, in one call: what is timed is the steady state alone.
    forward, backward, exact = [], [], []
    for row in factors(count):
        model = post_albers.pan_2019(**{k: post_albers.PAN_2019[k] * row[n] for n, k in enumerate(RATES)})
        up, down = model.rates(jnp.asarray(VOLTAGES), bath)
        forward.append(np.asarray(up))
        backward.append(np.asarray(down))
        exact.append(np.asarray(model.turns(jnp.asarray(VOLTAGES), bath)))

    def steady(up, down):
        q = np.zeros((4, 4))
        for k in range(4):
            q[k, (k + 1) % 4] += up[k]
            q[(k + 1) % 4, k] += down[k]
        q -= np.diag(q.sum(1))
        p = scipy.linalg.null_space(q.T)[:, 0]
        p /= p.sum()
        return p[0] * up[0] - p[1] * down[0]

    samples = []
    for _ in range(2 if quick else 5):
        start = time.perf_counter()
        found = [[steady(u, d) for u, d in zip(*pair, strict=True)] for pair in zip(forward, backward, strict=True)]
        samples.append((time.perf_counter() - start) * SETS / count)
    error = float(np.abs(np.array(found) / np.array(exact) - 1.0).max())
    yield Row(
        "scipy null space",
        "turnover, state elimination",
        float(np.median(samples)),
        min(samples),
        max(samples),
        len(samples),
        0.0,
        {"turnover": error},
    )


if __name__ == "__main__":
    run("pump_sweep", {"jaxmem": _jaxmem, "scipy": _scipy}, cores="0,1")
