"""The library's excitable cells against their equations, written down and integrated independently."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from jaxmem import library
from jaxmem.cell import AbstractCell
from jaxmem.library import pospischil_2008, squid_axon, traub_miles_1991, wang_buzsaki_1996
from jaxmem.protocols import step
from jaxmem.simulate import SpikeTimes, Staggered, current_clamp

pytestmark = pytest.mark.x64


def lin(x):
    return x / -np.expm1(-x)


def relaxed(x, a, b):
    return a * (1 - x) - b * x


def squid(y, current):
    v, m, h, n = y
    u = v + 65
    ionic = 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v + 65 - 10.613)
    return np.array(
        [
            current - ionic,
            relaxed(m, lin((u - 25) / 10), 4 * np.exp(-u / 18)),
            relaxed(h, 0.07 * np.exp(-u / 20), 1 / (1 + np.exp((30 - u) / 10))),
            relaxed(n, 0.1 * lin((u - 10) / 10), 0.125 * np.exp(-u / 80)),
        ]
    )


def spike_gates(u, m, h, n):
    """Traub and Miles's gates at u [mV] from V_T."""
    return [
        relaxed(m, 1.28 * lin((u - 13) / 4), 1.4 * lin((40 - u) / 5)),
        relaxed(h, 0.128 * np.exp((17 - u) / 18), 4 / (1 + np.exp((40 - u) / 5))),
        relaxed(n, 0.16 * lin((u - 15) / 5), 0.5 * np.exp((10 - u) / 40)),
    ]


def traub(y, current):
    v, m, h, n = y
    ionic = 100 * m**3 * h * (v - 50) + 80 * n**4 * (v + 100) + 0.1 * (v + 67)
    return np.array([current - ionic, *spike_gates(v + 67, m, h, n)])


def cortical(y, current, v_t, g_na, g_k, g_m, tau, g_leak, e_leak):
    v, m, h, n, p = y
    ionic = g_na * m**3 * h * (v - 50) + (g_k * n**4 + g_m * p) * (v + 90) + g_leak * (v - e_leak)
    x = (v + 35) / 20
    slow = (1 / (1 + np.exp(-2 * x)) - p) * (3.3 * np.exp(x) + np.exp(-x)) / tau
    return np.array([current - ionic, *spike_gates(v - v_t, m, h, n), slow])


def interneuron(y, current):
    v, h, n = y
    a, b = lin((v + 35) / 10), 4 * np.exp(-(v + 60) / 18)
    ionic = 35 * (a / (a + b)) ** 3 * h * (v - 55) + 9 * n**4 * (v + 90) + 0.1 * (v + 65)
    return np.array(
        [
            current - ionic,
            5 * relaxed(h, 0.07 * np.exp(-(v + 58) / 20), 1 / (1 + np.exp(-(v + 28) / 10))),
            5 * relaxed(n, 0.1 * lin((v + 34) / 10), 0.125 * np.exp(-(v + 44) / 80)),
        ]
    )


regular = partial(cortical, v_t=-56.2, g_na=56.0, g_k=6.0, g_m=0.075, tau=608.0, g_leak=0.0205, e_leak=-70.3)
fast = partial(cortical, v_t=-57.9, g_na=58.0, g_k=3.9, g_m=0.0787, tau=502.0, g_leak=0.038, e_leak=-70.4)

CELLS = {
    "squid": (squid_axon.model, squid),
    "traub": (traub_miles_1991.model, traub),
    "regular": (pospischil_2008.regular_spiking, regular),
    "fast": (pospischil_2008.fast_spiking, fast),
    "interneuron": (wang_buzsaki_1996.model, interneuron),
}


def vector(state):
    return np.concatenate([np.ravel(x) for x in jax.tree.leaves(state)])


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_moves_by_its_published_equations(name):
    make, slope = CELLS[name]
    cell = make()
    state, rng = cell.init(), np.random.default_rng(0)
    leaves, tree = jax.tree.flatten(state)
    for v in (-80.0, -53.7, -20.3, 35.0):
        random = [jnp.asarray(v if k == 0 else rng.uniform(size=x.shape)) for k, x in enumerate(leaves)]
        found = cell.derivative(jax.tree.unflatten(tree, random), jnp.asarray(1.7))
        assert_allclose(vector(found), slope(vector(random), 1.7), rtol=1e-11)


def run(slope, start, current, duration):
    """Spike times [ms], and the run."""

    def spike(t, y):
        return y[0] + 20.0

    spike.direction = 1.0
    done = solve_ivp(
        lambda t, y: slope(y, current), (0, duration), start, method="LSODA", rtol=1e-8, atol=1e-9, events=spike,
        max_step=2.0,
    )  # fmt: skip
    return done.t_events[0], done.y


def at_rest(name):
    _, slope = CELLS[name]
    start = [-68.0, *[0.05, 0.6, 0.3, 0.02][: {"interneuron": 2, "squid": 3, "traub": 3}.get(name, 4)]]
    return run(slope, start, 0.0, 2000.0)[1][:, -1]


def test_cells_rest_and_fire_where_their_docstrings_say():
    rest = {name: at_rest(name) for name in CELLS}
    potentials = [y[0] for y in rest.values()]
    assert_allclose(potentials, [-65.0, -66.6, -71.9, -71.4, -64.0], atol=0.05)
    shocked = [run(squid, rest["squid"] + np.eye(4)[0] * shock, 0.0, 15.0)[1][0].max() + 65.0 for shock in (6.0, 7.0)]
    assert shocked[0] < 6.1 and shocked[1] > 100.0  # the paper's Fig. 12
    for name, below, above in (("traub", 0.1, 0.13), ("interneuron", 0.16, 0.17)):
        fired = [len(run(CELLS[name][1], rest[name], current, 600.0)[0]) for current in (below, above)]
        assert fired[0] == 0 < fired[1]
    rates = [1e3 / np.diff(run(interneuron, rest["interneuron"], current, 120.0)[0])[-1] for current in (1.0, 2.0, 5.0)]
    assert_allclose(rates, [59.7, 101.8, 189.6], atol=0.1)


def test_a_regular_spiking_cell_adapts_and_the_library_runs_as_the_equations():
    expected, _ = run(regular, at_rest("regular"), 1.0, 400.0)
    intervals = np.diff(expected)
    assert intervals[-1] > 1.8 * intervals[0]
    trace = current_clamp(
        pospischil_2008.model(), step(1.0, 400.0), np.array([0.0, 400.0]), method=Staggered(0.02),
        record=SpikeTimes(most=len(expected)),
    )  # fmt: skip
    assert_allclose(trace.records[0][0], expected[0], atol=0.02)
    assert_allclose(np.diff(trace.records[0]), intervals, rtol=2.5e-3)


def test_the_library_lists_them():
    for name in ("squid_axon", "traub_miles_1991", "pospischil_2008", "wang_buzsaki_1996"):
        assert isinstance(library.load(name).model(), AbstractCell) and library.CELLS[name].doi
