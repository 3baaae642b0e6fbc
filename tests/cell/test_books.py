"""The books of a cell: amounts, volume and charge follow from the mechanisms' exchange and nothing else."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import simulate
from jaxmem.cell import Buffer, Cell, Compartment, Diffusion, Membrane, Uptake, point
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Ca, Cl, K, Na, nernst
from jaxmem.gating import AlwaysOpen
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.permeation import GHK, Ohmic
from jaxmem.results import InputError
from jaxmem.transport import Published, catalogue, sodium_pumps

pytestmark = pytest.mark.x64


#: The potential of `closed()` at the times of `hour` [mV], by either way and at tolerances of 1e-10.
HOUR = [-70.0, -83.25350651, -79.46216654, -55.71694445, -55.58097239]


def leak(g, species):
    return Channel(AlwaysOpen(), Ohmic(g, species=species))


def pump():
    return Published(sodium_pumps.cressman, catalogue.NA_K_ATPASE, 2e-4)


def closed(*, from_charge=False, water=2e-6, pumping=True, links=()):
    """A cell in a closed surrounding: leaks, and a pump that keeps it alive."""
    inside = Compartment.balanced({Na: 15.0, K: 140.0, Cl: 8.0}, 2.0, potential=-70.0, capacitance=20.0)
    # The surrounding lacks what the membrane holds in excess on its inner side.
    outside = Compartment.balanced({Na: 145.0, K: 4.0, Cl: 139.0}, 1.0, valence=-1.0, potential=70.0, capacitance=20.0)
    mechanisms = [leak(0.5, Na), leak(8.0, K), leak(3.0, Cl)]
    membrane = Membrane("cell", "ecs", 20.0, [*mechanisms, pump()] if pumping else mechanisms, water=water)
    return Cell(
        membrane,
        {"cell": inside, "ecs": outside},
        links=links,
        temperature=310.0,
        start=-70.0,
        from_charge=from_charge,
    )


def test_a_potential_from_charge_starts_where_the_compartment_was_balanced():
    cell = closed(from_charge=True)
    assert float(cell.voltage(cell.init())) == pytest.approx(-70.0, abs=1e-7)
    assert cell.observe(cell.init())["K_cell"] == 140.0


@pytest.fixture(scope="module", params=[False, True], ids=["capacitor", "charge"])
def hour(request):
    """A cell after an hour, and its trace on the way."""
    cell = closed(from_charge=request.param)
    t = np.array([0.0, 10.0, 1000.0, 60000.0, 3.6e6])
    return cell, simulate.current_clamp(cell, None, t, method=simulate.Adaptive(1e-8, 1e-8))


def test_an_hour_conserves_every_particle_and_the_charge(hour):
    cell, trace = hour
    before, after = cell.totals(cell.init()), cell.totals(trace.state)
    assert np.all(np.abs(after - before) <= 1e-10 * np.abs(before).max())
    charge = sum(cell.charge(trace.state, name) for name in cell.finite)
    assert abs(float(charge)) <= 1e-10 * 300.0
    assert abs(float(trace.v[-1] - trace.v[0])) > 1.0  # something happened
    volumes = trace.state.volumes
    assert float(volumes["cell"] + volumes["ecs"]) == pytest.approx(3.0, rel=1e-12)


def test_both_ways_to_the_potential_give_the_same(hour):
    """What the other way found is written here: with mechanisms alone both are one equation."""
    _, trace = hour
    assert np.allclose(trace.v, HOUR, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("from_charge", [False, True])
def test_fixed_steps_keep_the_books_and_converge(from_charge):
    cell = closed(from_charge=from_charge, pumping=False)
    found = []
    for dt in (0.4, 0.2, 0.1):
        trace = simulate.current_clamp(cell, None, [200.0], method=simulate.Staggered(dt))
        start, end = cell.totals(cell.init()), cell.totals(trace.state)
        assert np.all(np.abs(end - start) < 1e-10 * 300.0)
        found.append(np.array([trace.v[-1], trace.observed["K_ecs"][-1]]))
    first, second = np.abs(found[1] - found[0]), np.abs(found[2] - found[1])
    assert np.log2(first / second) == pytest.approx(2.0, abs=0.2)


def test_without_a_pump_a_cell_ends_in_donnan_equilibrium():
    cell = closed(pumping=False, water=2e-4)
    trace = simulate.current_clamp(cell, None, np.array([0.0, 4e7]), method=simulate.Adaptive(1e-8, 1e-8))
    bath = cell.bath(trace.state)
    for species in (Na, K, Cl):
        assert float(nernst(*bath[species], species.z, bath.temperature)) == pytest.approx(float(trace.v[-1]), abs=1e-4)


def test_injected_current_is_carried_by_its_ion():
    cell = closed(pumping=False)
    rate, still = cell.derivative(cell.init(), jnp.asarray(9.0)), cell.derivative(cell.init(), jnp.asarray(0.0))
    moved = {n: rate.amounts[n] - still.amounts[n] for n in ("cell", "ecs")}
    assert float(rate.v[0] - still.v[0]) == pytest.approx(9.0 / 20.0, rel=1e-12)
    assert np.allclose(moved["cell"], [0.0, 9.0 / 96485.33212, 0.0], rtol=1e-9)
    assert np.allclose(moved["ecs"], -moved["cell"])


def test_links_keep_the_books():
    """Calcium in a cell with a buffer, and a narrow space that exchanges with a bath."""
    inside = Compartment.balanced({Ca: 1e-4, K: 140.0}, 2.0)
    space, far = Compartment.balanced({Ca: 1.5, K: 5.0}, 0.5, valence=-1.0), Compartment({Ca: 2.0, K: 4.0})
    links = (
        Buffer("cell", Ca, 0.2, 10.0, 0.01),
        Diffusion("ecs", "far", {Ca: 1e-3, K: 1e-3}),
        Uptake("ecs", {K: 1}, 1e-4, 8.0, 2.0),
    )
    membrane = Membrane("cell", "ecs", 10.0, Channel(AlwaysOpen(), GHK(jnp.asarray([1e-7]), (Ca,))))
    cell = Cell(membrane, {"cell": inside, "ecs": space, "far": far}, links=links, temperature=300.0)
    state = cell.init()
    assert float(state.links[0]) == pytest.approx(0.2 * 1e-3 / (1e-3 + 0.01), rel=1e-12)
    rate = cell.derivative(state, jnp.asarray(0.0))
    influx = -cell.membranes[0].exchange(state.mechanisms[0], jnp.asarray(-65.0), cell.bath(state)).inside
    assert float(rate.amounts["ecs"][0]) == pytest.approx(float(influx[0]) + 1e-3 * 0.5, rel=1e-12)
    assert float(rate.amounts["ecs"][1]) == pytest.approx(-1e-3 - 1e-4 / (1 + np.exp(1.5)), rel=1e-12)
    # Ca of the cell is open to the bath; its K cannot leave, nor can the charge that is not on the membrane change.
    assert cell.totals(state).shape == (2,)
    trace = simulate.current_clamp(cell, None, np.array([50.0]), method=simulate.RungeKutta(0.05))
    assert np.allclose(cell.totals(trace.state), cell.totals(state), rtol=1e-12)
    assert float(trace.state.links[0]) != float(state.links[0])


def test_a_store_inside_a_cell_shares_its_charge():
    """Endoplasmic reticulum, cytosol and bath in a row: each membrane's charge is what lies within it."""
    er = Compartment.balanced({K: 100.0, Cl: 20.0}, 0.1, potential=5.0, capacitance=3.0)
    cytosol = Compartment.balanced({K: 140.0, Cl: 8.0}, 1.0, potential=-60.0 - 5.0 * 3.0 / 10.0, capacitance=10.0)
    cell = Cell(
        [Membrane("cell", "bath", 10.0, [leak(2.0, K), leak(1.0, Cl)]), Membrane("er", "cell", 3.0, leak(1.0, K))],
        {"er": er, "cell": cytosol, "bath": Compartment({K: 4.0, Cl: 4.0})},
        temperature=300.0,
        from_charge=True,
    )
    state = cell.init()
    assert float(cell.observe(state)["V_er"]) == pytest.approx(5.0, abs=1e-6)
    assert float(cell.voltage(state)) == pytest.approx(-60.0, abs=1e-6)
    whole = cell.derivative(state, jnp.asarray(0.0))
    dv = whole.v
    i_er = cell.membranes[1].exchange(((),), jnp.asarray(5.0), cell.bath(state, cell.membranes[1])).current
    assert float(dv[1]) == pytest.approx(float(-i_er / 3.0), rel=1e-6)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Compartment({K: -1.0}, 1.0), "concentration of K of a compartment must be a positive number"),
        (lambda: Compartment({K: 1.0}, -1.0), "volume of a compartment must be a positive number of pL, but is -1"),
        (lambda: Compartment({K: 1.0}, 1.0, impermeant=-2.0), "amount of impermeants"),
        (lambda: Compartment.balanced({K: 1.0}, 1.0, valence=1.0), "give `valence` the other sign"),
        (
            lambda: Cell(
                Membrane("cell", "bath", 1.0, leak(1.0, K)),
                {"cell": Compartment({K: 140.0}, 2.0), "bath": Compartment({K: 4.0})},
                temperature=300.0,
            ),
            r"'cell' must be electroneutral, but holds \+280 fmol of charge \(\+140 mM\); 280 fmol of impermeants",
        ),
        (
            lambda: Cell(
                Membrane("cell", "bath", 1.0, leak(1.0, Na)),
                {"cell": Compartment.balanced({K: 140.0}, 2.0), "bath": Compartment({K: 4.0})},
                temperature=300.0,
            ),
            "must hold Na, which a mechanism of the membrane between 'cell' and 'bath' carries",
        ),
        (
            lambda: Cell(
                Membrane("cell", "bath", 1.0, hodgkin_huxley_1952.leak()),
                {"cell": Compartment.balanced({K: 140.0}, 2.0), "bath": Compartment({K: 4.0})},
                temperature=300.0,
            ),
            r"every current must carry an ion, but a Channel between",
        ),
        (
            lambda: Cell(
                [Membrane("cell", "bath", 1.0, leak(1.0, K)), Membrane("cell", "bath", 1.0, leak(1.0, K))],
                {"cell": Compartment({K: 140.0}), "bath": Compartment({K: 4.0})},
                temperature=300.0,
            ),
            "must not close a loop",
        ),
        (
            lambda: Cell(
                Membrane("cell", "elsewhere", 1.0, leak(1.0, K)), {"cell": Compartment({K: 140.0})}, temperature=300.0
            ),
            "but one names 'elsewhere'",
        ),
    ],
)
def test_bad_cells_are_refused_in_one_line(make, says):
    with pytest.raises(InputError, match=says) as info:
        make()
    assert "\n" not in str(info.value)


def test_a_point_takes_other_conditions():
    cell = point(leak(1.0, K), 10.0, 300.0).at(300.0)
    with pytest.raises(KeyError, match="K"):
        cell.init() and cell.derivative(cell.init(), jnp.asarray(0.0))
