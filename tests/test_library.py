"""Published models against numbers of their papers and of the reference cases."""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import library, modelfile
from jaxmem.electrochemistry import Bath, Ca, as_bath
from jaxmem.gating import charge_voltage, gating_charge, gating_current, limiting_slope, total_charge
from jaxmem.kinetics import affinity, cycles, generator
from jaxmem.library import (
    bk_horrigan_aldrich_2002,
    herg_beattie_2018,
    herg_fink_2008,
    herg_wang_1997,
    hodgkin_huxley_1952,
    shaker_zha_1994,
)
from jaxmem.rates import AbstractRate
from jaxmem.results import InputError

#: Listed by their citation alone.
WITHOUT_DOI = ("gramicidin_monoi_1985",)


@pytest.mark.parametrize("name", library.MODELS)
def test_every_listed_model_builds_and_has_a_source(name):
    entry = library.MODELS[name]
    module = library.load(name)
    assert module is getattr(library, name)
    assert entry.doi in module.__doc__ and "**Source:**" in module.__doc__
    assert entry.doi.startswith("10.") or name in WITHOUT_DOI
    model, bath = module.model(), modelfile.loads(library.text(name)).bath
    mechanisms = model if isinstance(model, tuple) else (model,)
    for mechanism in mechanisms:
        state = mechanism.init(jnp.asarray(-40.0), bath)
        current = mechanism.exchange(state, jnp.asarray(-40.0), bath).current
        assert np.isfinite(current)
        for dx in jax.tree.leaves(mechanism.derivative(state, jnp.asarray(-40.0), bath)):
            np.testing.assert_allclose(dx, 0.0, atol=1e-6 if current.dtype == jnp.float32 else 1e-14)


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(InputError, match="did you mean 'herg_wang_1997'"):
        library.load("herg_wang_1979")
    with pytest.raises(AttributeError, match="its models are"):
        _ = library.herg


@pytest.mark.x64
def test_hodgkin_huxley_rates_are_those_of_the_paper():
    v = jnp.asarray([-20.0, 0.0, 10.0, 25.0, 60.0])
    bath = as_bath(hodgkin_huxley_1952.TEMPERATURE)
    for rest in (0.0, -65.0):
        potassium = hodgkin_huxley_1952.potassium(rest=rest).gating.gates[0]
        m, h = hodgkin_huxley_1952.sodium(rest=rest).gating.gates
        w = np.asarray(v)
        with np.errstate(invalid="ignore"):
            alpha_n = np.where(w == 10, 0.1, 0.01 * (10 - w) / np.expm1((10 - w) / 10))
            alpha_m = np.where(w == 25, 1.0, 0.1 * (25 - w) / np.expm1((25 - w) / 10))
        for law, expected in (
            (potassium.opening, alpha_n),
            (potassium.closing, 0.125 * np.exp(-w / 80)),
            (m.opening, alpha_m),
            (m.closing, 4 * np.exp(-w / 18)),
            (h.opening, 0.07 * np.exp(-w / 20)),
            (h.closing, 1 / (np.exp((30 - w) / 10) + 1)),
        ):
            np.testing.assert_allclose(law(v + rest, bath), expected, rtol=1e-12)
            warm = as_bath(hodgkin_huxley_1952.TEMPERATURE + 10.0)
            np.testing.assert_allclose(law(v + rest, warm), 3 * expected, rtol=1e-12)
    cold = hodgkin_huxley_1952.potassium(q10=None).gating.gates[0]
    np.testing.assert_allclose(cold.closing(jnp.asarray(-65.0), as_bath(300.0)), 0.125, rtol=1e-12)


@pytest.mark.x64
def test_hodgkin_huxley_axon_is_at_rest():
    v, bath = jnp.asarray(-65.0), as_bath(hodgkin_huxley_1952.TEMPERATURE)
    axon = hodgkin_huxley_1952.model()
    sodium, potassium, leak = (float(m.exchange(m.init(v, bath), v, bath).current) for m in axon)
    assert potassium == pytest.approx(36 * 0.3177**4 * 12, rel=2e-3)
    assert sodium < 0 and leak < 0
    # The paper chose the leak's potential, 10.613 mV, to make the total vanish at rest.
    assert abs(sodium + potassium + leak) < 1e-3 * potassium


@pytest.mark.x64
def test_beattie_rates_at_the_published_parameters():
    channel = herg_beattie_2018.model()
    v, bath = jnp.asarray(40.0), as_bath(294.55)
    a, r = channel.gating.gates
    steady, rate = a.relaxation(v, bath)
    assert rate == pytest.approx(2.26e-4 * math.exp(2.796) + 3.45e-5 * math.exp(-2.1848), rel=1e-12)
    steady, rate = r.relaxation(v, bath)
    k3, k4 = 0.0873 * math.exp(0.3564), 5.15e-3 * math.exp(-1.2632)
    assert rate == pytest.approx(k3 + k4, rel=1e-12) and steady == pytest.approx(k4 / (k3 + k4), rel=1e-12)
    assert herg_beattie_2018.reversal_potential(294.55) == pytest.approx(-88.3, abs=0.1)


@pytest.mark.x64
@pytest.mark.parametrize("module", [herg_wang_1997, herg_fink_2008])
def test_markov_herg_is_a_row_of_five_states_that_inactivates(module):
    channel = module.model()
    assert channel.gating.scheme.states == ("C1", "C2", "C3", "O", "I")
    assert cycles(channel.gating.scheme) == ()
    bath = as_bath(310.0)
    at = lambda v: channel.gating.init(jnp.asarray(v), bath)
    assert at(-80.0)[0] > 0.9
    strong = at(40.0)
    assert strong[4] > 2 * strong[3]
    q = np.asarray(generator(channel.gating.scheme, jnp.asarray(0.0), bath))
    middle = {herg_wang_1997: (0.023761, 0.036778), herg_fink_2008: (0.04209, 0.08094)}[module]
    assert (q[1, 2], q[2, 1]) == middle
    # I / O is the ratio of the two rates between them at every voltage.
    expected = {herg_wang_1997: 0.090821 / 0.006497, herg_fink_2008: 0.41811 / 0.04150}[module]
    assert at(0.0)[4] / at(0.0)[3] == pytest.approx(expected, rel=1e-12)


def scaled_conductance(**values):
    return hodgkin_huxley_1952.potassium_conductance(scaled=True, **values)


FREED = [
    (herg_beattie_2018, herg_beattie_2018.model, {}),
    (herg_fink_2008, herg_fink_2008.model, {}),
    (hodgkin_huxley_1952, hodgkin_huxley_1952.potassium, {"rest": -65.0}),
    (hodgkin_huxley_1952, hodgkin_huxley_1952.potassium_conductance, {"rest": -10.0, "conductance": True}),
    (hodgkin_huxley_1952, scaled_conductance, {"conductance": True}),
]


@pytest.mark.x64
@pytest.mark.parametrize(("module", "build", "options"), FREED)
def test_freed_values_are_those_of_the_constructor(module, build, options):
    free = module.free(**options)
    rest = {k: v for k, v in options.items() if k == "rest"}
    for row in free.draw(jax.random.key(3), 4):
        placed = free.place(build(**rest), jnp.asarray(row))
        built = build(**dict(zip(free.names, row.tolist(), strict=True)), **rest)
        for a, b in zip(jax.tree.leaves(placed), jax.tree.leaves(built), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)
        np.testing.assert_allclose(free.read(placed), row, rtol=1e-12)
        np.testing.assert_allclose(free.from_search(free.to_search(row)), row, rtol=1e-9)


@pytest.mark.x64
@pytest.mark.parametrize("module", [herg_beattie_2018, herg_fink_2008])
def test_starts_keep_every_rate_within_its_limits(module):
    free = module.free()
    starts = free.draw(jax.random.key(0), 50)
    bath = as_bath(300.0)
    ends = jnp.asarray([-120.0, 60.0])
    is_law = lambda x: isinstance(x, AbstractRate)
    count = 0
    for row in starts:
        model = free.place(module.model(), jnp.asarray(row))
        for law in filter(is_law, jax.tree.leaves(model, is_leaf=is_law)):
            largest = float(jnp.max(law(ends, bath)))
            assert 1.67e-5 * (1 - 1e-9) <= largest <= 1e3 * (1 + 1e-9)
            count += 1
    assert count == 50 * {herg_beattie_2018: 4, herg_fink_2008: 8}[module]
    assert free.parameters[-1].upper == pytest.approx(10 * free.parameters[-1].lower)


@pytest.fixture
def reference(shared):
    return json.loads((shared / "reference" / "permeation" / "gating.json").read_text("utf-8"))


@pytest.mark.x64
def test_shaker_reproduces_the_reference(reference):
    case = reference["shaker_ZHA"]
    channel = shaker_zha_1994.model()
    gating, bath = channel.gating, as_bath(case["T_K"])
    assert len(gating.scheme.states) == 15
    assert total_charge(gating.scheme, bath) == pytest.approx(case["total_charge_e0"], rel=1e-8)
    np.testing.assert_allclose(affinity(gating.scheme, jnp.asarray(0.0), bath)[:2] * 0, 0)
    steady = jax.jit(
        lambda v: (
            gating.open_probability(gating.init(v, bath), v),
            charge_voltage(gating.scheme, v, bath),
            limiting_slope(gating, v, bath),
        )
    )
    for point in case["steady"]:
        po, q, _ = steady(jnp.asarray(float(point["V_mV"])))
        assert po == pytest.approx(point["Po"], rel=1e-8)
        assert q == pytest.approx(point["Q_e0"], rel=1e-8)
    for point in case["limiting_slope_dlnPo_dV_times_kT"]:
        assert steady(jnp.asarray(float(point["V_mV"])))[2] == pytest.approx(point["slope_e0"], rel=1e-8)
    assert steady(jnp.asarray(case["V_half_Po_mV"]))[0] == pytest.approx(0.5, abs=1e-7)
    assert steady(jnp.asarray(case["V_half_Q_mV"]))[1] == pytest.approx(13.08 / 2, rel=1e-7)


@pytest.mark.x64
def test_shaker_step_with_gating_current_reproduces_the_reference(reference):
    case = reference["shaker_ZHA"]
    gating, bath = shaker_zha_1994.model().gating, as_bath(case["T_K"])
    hold, test = (jnp.asarray(float(case["step"][k])) for k in ("V_hold_mV", "V_test_mV"))
    start = gating.init(hold, bath)

    @jax.jit
    def at(t):
        p = gating.advance(start, test, bath, t)
        moved = gating_charge(gating.scheme, p, bath) - gating_charge(gating.scheme, start, bath)
        return gating.open_probability(p, test), gating_current(gating.scheme, p, test, bath), moved

    for point in case["step"]["trace"]:
        po, current, moved = at(jnp.asarray(float(point["t_ms"])))
        assert po == pytest.approx(point["Po"], rel=1e-8)
        # ms and e0/ms in both; nine printed digits
        assert current == pytest.approx(point["Ig_e0_per_ms"], rel=1e-8)
        assert moved == pytest.approx(point["Q_moved_e0"], rel=1e-8)


@pytest.mark.x64
def test_bk_reproduces_the_reference(reference):
    case = reference["bk_HA2002"]
    for point in case["points"]:
        bath = Bath({Ca: 1e-3 * point["Ca_uM"]}, {}, case["T_K"])
        po = bk_horrigan_aldrich_2002.steady(jnp.asarray(float(point["V_mV"])), bath)
        assert po == pytest.approx(point["Po"], rel=1e-8)
