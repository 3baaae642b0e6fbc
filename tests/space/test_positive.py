"""Concentrations stay positive, and books are kept, in random tissues at steps of any length."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import simulate, space
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Cl, K, Na
from jaxmem.gating import AlwaysOpen
from jaxmem.permeation import Ohmic
from jaxmem.protocols import step
from jaxmem.simulate.stimulus import together
from jaxmem.transport import Published, per_current, sodium_pumps
from jaxmem.transport.catalogue import NA_K_ATPASE

pytestmark = pytest.mark.x64
SIZE, LANES, STEPS = 6, 400, 40
IONS = (Na, K, Cl)


def tissue(given):
    """Six compartments, two of them a branch, with leaks, pumps, and what they start with."""
    short, long = given["length"] / 3.0, given["length"]
    tree = space.tree(
        {
            "trunk": space.Section(long, given["diameter"], 4),
            "branch": space.Section(short, 0.5 * given["diameter"], 2, "trunk", at=0.5),
        }
    )
    leak = Channel(AlwaysOpen(), Ohmic([0.02, 0.05, 0.02], species=IONS))
    pump = Published(sodium_pumps.cressman, NA_K_ATPASE, per_current(NA_K_ATPASE), maximum=1.0)
    placed = [space.place(leak, density=given["leak"]), space.place(pump, density=given["pump"])]
    inside = space.inside(tree, dict(zip(IONS, given["inside"], strict=True)))
    outside = space.outside(tree, dict(zip(IONS, given["outside"], strict=True)), given["share"])
    cells = {"neuron": space.Cells(inside, placed, tree.area, start=given["start"])}
    return space.Tissue(tree, outside, cells, temperature=310.0)


def draw(seed):
    rng = np.random.default_rng(seed)
    log = lambda low, high, *shape: np.exp(rng.uniform(np.log(low), np.log(high), (LANES, *shape)))
    return {
        "inside": log(1e-6, 500.0, 3, SIZE),  # mM
        "outside": log(1e-6, 500.0, 3, SIZE),
        "diameter": log(0.05, 5.0),  # um
        "length": log(6.0, 3000.0),
        "start": rng.uniform(-120.0, 60.0, (LANES, SIZE)),  # mV
        "pump": 0.01 * log(1e-3, 50.0),
        "leak": 0.01 * log(1e-3, 30.0),
        "share": log(0.05, 5.0),
        "dt": log(0.01, 50.0),  # ms
    }


@jax.jit
@jax.vmap
def run(given):
    """The least concentration after each step, and what no step should change before and after all."""
    cell, h, method = tissue(given), given["dt"], simulate.Hines(0.1)

    def one(carry, _):
        carry = method.step(cell, carry, together([]), h)
        return carry, jnp.min(jnp.stack(cell.concentrations(carry)))

    begin = cell.init()
    carry, least = jax.lax.scan(one, method.begin(cell, begin, h), None, length=STEPS)
    return least, cell.totals(begin), cell.totals(carry)


@pytest.mark.parametrize("still", [False, True])
def test_concentrations_stay_positive_in_any_tissue_at_any_step(still):
    """Half of the tissues have neither leaks nor pumps: there drift alone empties compartments."""
    given = draw(5)
    if still:
        given |= {name: 0.0 * given[name] for name in ("pump", "leak")}
    least, start, end = (np.asarray(x) for x in run(jax.tree.map(jnp.asarray, given)))
    assert np.all(least > 0.0)  # no number is not either
    largest = np.max(np.abs(start[:, :3]), axis=1, keepdims=True)
    assert np.max(np.abs(end - start) / largest) < 1e-9


def exhausted():
    """A short process that holds hardly any K, from which a strong current takes it."""
    tree = space.cylinder(30.0, 1.0, 3)
    leak = Channel(AlwaysOpen(), Ohmic([0.02, 0.05, 0.02], species=IONS))
    inside, outside = {Na: 100.0, K: 0.01, Cl: 100.0}, {Na: 140.0, K: 4.0, Cl: 144.0}
    cells = {"neuron": space.Cells(space.inside(tree, inside), leak, tree.area)}
    return space.Tissue(tree, space.outside(tree, outside), cells, temperature=310.0)


def test_what_is_not_there_cannot_be_taken():
    cell = exhausted()
    supply = simulate.Supply("neuron", Na, step(1e-3, 2.0))
    trace = simulate.current_clamp(cell, (step(-50.0, 2.0), supply), [0.0, 2.0], method=simulate.Hines(0.1))
    k = np.asarray(trace.observed["K_neuron"])
    assert k[0, 0] == pytest.approx(0.01) and 0.0 < k[-1, 0] < 1e-4
    change = np.asarray(cell.totals(trace.state) - cell.totals(cell.init()))
    assert change[0] == pytest.approx(2e-3, rel=1e-9)  # all of the supply came
    assert np.all(np.abs(change[1:3]) < 1e-12)


def test_a_gradient_passes_where_less_moves():
    cell = exhausted()

    def end(g):
        changed = eqx.tree_at(lambda c: c.cells["neuron"].mechanisms[0].density, cell, g)
        run = simulate.current_clamp(changed, step(-50.0, 2.0), [0.0, 2.0], method=simulate.Hines(0.1), throw=False)
        return run.observed["Na_neuron"][-1, 0]

    g, e = 0.01, 1e-6
    value, slope = jax.jit(jax.vmap(jax.value_and_grad(end)))(jnp.asarray([g, g - e, g + e]))
    assert float(slope[0]) == pytest.approx(float(value[2] - value[1]) / (2.0 * e), rel=1e-5)
