"""How fast are currents and all their energy derivatives of a multi-ion barrier pore?

A three-site pore for K and Na, 27 occupancy states, 16 energies: an 8-point mole-fraction by 21-voltage grid (168
currents and 2688 derivatives), 10 000 random pores at 21 voltages, and a four-site pore for three ions (256 states).
The peer is what one writes in numpy without a library: a generator per point, its null space by a singular-value
decomposition, derivatives by central differences. Errors are of the currents, relative to the largest, against state
elimination in extended precision.

    python benchmarks/barrier_pore.py [--quick] [--only PEER] [--cores 0,1]
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from _timing import Row, compiled, measure, run

SITES = np.array([[-3.5, -4.0, -3.5], [-1.5, -0.5, -1.5]])
BARRIERS = np.array([[8.0, 4.5, 4.5, 8.0], [10.5, 7.5, 7.5, 10.5]])
DISTANCES = np.array([0.08, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92])
PAIRS = np.array([2.5, 0.8])
T, TOTAL = 293.15, 150.0  # K, mM
VOLTAGES, FRACTIONS = np.linspace(-100.0, 100.0, 21), np.linspace(0.0, 1.0, 8)
RT_F, ATTEMPTS, E0 = 8.31446261815324 * T / 96485.33212331 * 1e3, 1.380649e-23 * T / 6.62607015e-34, 1.602176634e-7
PORES = 10_000


def flat(sites=SITES, barriers=BARRIERS, pairs=PAIRS) -> np.ndarray:
    """The energies as one vector."""
    return np.concatenate([np.ravel(sites), np.ravel(barriers), pairs])


def generator(energies: np.ndarray, v: float, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Rates [1/s] between the 27 occupancies, and the charge that each carries outward over the outer barrier."""
    sites, barriers, pairs = energies[:6].reshape(2, 3), energies[6:14].reshape(2, 4), energies[14:]
    u = v / RT_F
    position = np.concatenate([[0.0], DISTANCES[1::2], [1.0]])
    outside = np.array([fraction, 1.0 - fraction]) * TOTAL * 1e-3
    states = [(a, b, c) for a in range(3) for b in range(3) for c in range(3)]
    number = {state: k for k, state in enumerate(states)}

    def together(s):
        return pairs[0] * ((s[0] > 0) * (s[1] > 0) + (s[1] > 0) * (s[2] > 0)) + pairs[1] * (s[0] > 0) * (s[2] > 0)

    q, outward = np.zeros((27, 27)), np.zeros((27, 27))
    for s in states:
        for k in range(2):
            for b in range(4):
                # Inward over barrier b: from position b to b + 1.
                here = b == 0 or s[b - 1] == k + 1
                room = b == 3 or s[b] == 0
                if here and room:
                    new = list(s)
                    if b > 0:
                        new[b - 1] = 0
                    if b < 3:
                        new[b] = k + 1
                    new = tuple(new)
                    half = 0.5 * (together(new) - together(s))
                    top = barriers[k, b] + u * DISTANCES[2 * b]
                    start = (sites[k, b - 1] if b > 0 else 0.0) + u * position[b]
                    end = (sites[k, b] if b < 3 else 0.0) + u * position[b + 1]
                    inward = ATTEMPTS * np.exp(start - top - half) * (outside[k] if b == 0 else 1.0)
                    back = ATTEMPTS * np.exp(end - top + half) * (0.0 if b == 3 else 1.0)
                    i, j = number[s], number[new]
                    q[i, j] += inward
                    q[j, i] += back
                    if b == 0:
                        outward[i, j] -= 1.0
                        outward[j, i] += 1.0
    return q, outward


def by_null_space(energies: np.ndarray, v: float, fraction: float) -> float:
    """Current [pA]."""
    q, outward = generator(energies, v, fraction)
    full = q - np.diag(q.sum(1))
    p = np.linalg.svd(full.T)[2][-1]
    p = p / p.sum()
    return E0 * float(np.sum(p[:, None] * q * outward))


def by_elimination(energies: np.ndarray, v: float, fraction: float) -> float:
    """Current [pA], by state elimination in extended precision."""
    q, outward = generator(energies, v, fraction)
    left, columns = q.astype(np.longdouble), []
    for k in range(26, 0, -1):
        column = left[:k, k] / left[k, :k].sum()
        left = left[:k, :k] + column[:, None] * left[k, :k]
        columns.append(column)
    p = np.ones(1, np.longdouble)
    for column in reversed(columns):
        p = np.append(p, p @ column)
    p = p / p.sum()
    return float(np.longdouble(E0) * np.sum(p[:, None] * q * outward))


def truth() -> np.ndarray:
    """Currents (voltages, fractions) [pA]."""
    return np.array([[by_elimination(flat(), v, x) for x in FRACTIONS] for v in VOLTAGES])


def _numpy(quick: bool) -> Iterator[Row]:
    import time

    voltages = VOLTAGES[::10] if quick else VOLTAGES
    h = 1e-5
    steps = h * np.eye(16)

    def grid():
        currents = np.array([[by_null_space(flat(), v, x) for x in FRACTIONS] for v in voltages])
        slopes = np.array(
            [
                [
                    [(by_null_space(flat() + s, v, x) - by_null_space(flat() - s, v, x)) / (2 * h) for s in steps]
                    for x in FRACTIONS
                ]
                for v in voltages
            ]
        )
        return currents, slopes

    samples = []
    for _ in range(1 if quick else 5):
        start = time.perf_counter()
        currents, _ = grid()
        samples.append((time.perf_counter() - start) * len(VOLTAGES) / len(voltages))
    exact = truth()[::10] if quick else truth()
    error = float(np.abs(currents - exact).max() / np.abs(exact).max())
    median = float(np.median(samples))
    yield Row(
        "numpy null space",
        "168 currents and 16 derivatives each",
        median,
        min(samples),
        max(samples),
        len(samples),
        0.0,
        {"current": error},
    )


def _jaxmem(quick: bool) -> Iterator[Row]:
    import jax

    jax.config.update("jax_enable_x64", True)
    import equinox as eqx
    import jax.numpy as jnp

    from jaxmem.electrochemistry import Ba, Bath, Ca, K, Na
    from jaxmem.permeation import BarrierPore, current, mixture

    pore = BarrierPore(
        dict(zip((K, Na), SITES, strict=True)), dict(zip((K, Na), BARRIERS, strict=True)), DISTANCES, PAIRS
    )
    bath = Bath({K: 0.0, Na: 0.0}, {K: 0.0, Na: 0.0}, T)
    v, x = jnp.asarray(VOLTAGES), jnp.asarray(FRACTIONS)

    def at(pore, v, x):
        return current(pore, v, mixture(bath, (K, Na), x, TOTAL))

    exact = truth()
    for task, one in (
        ("168 currents", at),
        ("168 currents and 16 derivatives each", jax.value_and_grad(at)),
    ):
        function = lambda p, one=one: jax.vmap(lambda v: jax.vmap(lambda x: one(p, v, x))(x))(v)
        ready, seconds = compiled(function, pore)
        found = ready(pore)
        error = float(np.abs(np.asarray(found[0] if "deriv" in task else found) - exact).max() / np.abs(exact).max())
        yield Row("jaxmem", task, **measure(partial(ready, pore)), setup=seconds, errors={"current": error})

    count = PORES // 20 if quick else PORES
    rng = np.random.default_rng(0)
    sites, barriers = (jnp.asarray(rng.uniform(*ends, (count, 2, n))) for ends, n in (((-5, 2), 3), ((4, 12), 4)))

    def many(sites, barriers):
        def one(pair):
            changed = eqx.tree_at(lambda p: (p.sites, p.barriers), pore, pair)
            return jax.vmap(lambda v: at(changed, v, jnp.asarray(0.5)))(v)

        return jax.lax.map(one, (sites, barriers), batch_size=16)

    ready, seconds = compiled(many, sites, barriers)
    found = np.asarray(ready(sites, barriers))
    several = range(0, count, max(count // 10, 1))
    wanted = np.array([[by_elimination(flat(sites[k], barriers[k]), w, 0.5) for w in VOLTAGES[::5]] for k in several])
    error = float((np.abs(found[list(several), ::5] - wanted).max(1) / np.abs(wanted).max(1)).max())
    timing = measure(partial(ready, sites, barriers), runs=2 if quick else 5)
    task = "10 000 pores of 27 states at 21 voltages"
    scaled = {k: timing[k] * PORES / count for k in ("median", "low", "high")}
    yield Row("jaxmem", task, **scaled, runs=timing["runs"], setup=seconds, errors={"current": error})

    large = BarrierPore(
        {K: [-3.0] * 4, Na: [-1.0] * 4, Ca: [-6.0] * 4},
        {K: [7.0] * 5, Na: [9.0] * 5, Ca: [8.0] * 5},
        None,
        [2.0, 0.7, 0.2],
    )
    full = Bath({K: 140.0, Na: 10.0, Ca: 1e-4}, {K: 4.0, Na: 145.0, Ca: 2.0, Ba: 0.0}, T)
    for task, one in (
        ("one pore of 256 states, current", lambda p: current(p, -60.0, full)),
        ("one pore of 256 states, current and 30 derivatives", jax.value_and_grad(lambda p: current(p, -60.0, full))),
    ):
        ready, seconds = compiled(one, large)
        yield Row("jaxmem", task, **measure(partial(ready, large)), setup=seconds)


if __name__ == "__main__":
    run("barrier_pore", {"jaxmem": _jaxmem, "numpy": _numpy}, cores="0,1")
