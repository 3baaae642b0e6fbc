"""Published rate equations: printed digits, what reverses and where, what cannot, and graphs against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import kinetics
from jaxmem.channel import SteadyState
from jaxmem.electrochemistry import ADP, ATP, NH4, Bath, Ca, Cl, H, K, Na, Pi, glc, glu, nernst
from jaxmem.library import sglt1_eskandari_2005 as sglt1
from jaxmem.permeation import PER_PARTICLE, current, reversal_potential
from jaxmem.rates import MassAction
from jaxmem.transport import (
    QuasiSteady,
    Stoichiometry,
    calcium_pumps,
    catalogue,
    cotransporters,
    exchangers,
    set_point,
    sodium_pumps,
    stalling_potential,
    turn_energy,
)
from jaxmem.transport.glucose import GlucoseCarrier, lowe_walmsley
from jaxmem.transport.glutamate import Shchepakin, shchepakin, shchepakin_current
from jaxmem.transport.post_albers import ohara_rudy, ohara_rudy_2011, pan, pan_2019, terkildsen_2007
from jaxmem.transport.proton_exchange import Weinstein, weinstein
from jaxmem.transport.published import Published, per_current
from jaxmem.transport.ring import ring_turnover
from jaxmem.units import F, R

pytestmark = pytest.mark.x64

T = 310.0
LEGACY = T * (8.314 / R) / (96485.0 / F)  # where the library's RT/F is that of papers with rounded constants


def cell(**changes):
    """A cell at 310 K; `changes` are (inside, outside) by the name of a species."""
    both = {"Na": (10.0, 140.0), "K": (140.0, 5.4), "Ca": (1e-4, 1.8), "Cl": (6.0, 130.0), **changes}
    ions = {s.name: s for s in (Na, K, Ca, Cl, H, NH4, ATP, ADP, Pi, glc)}
    return Bath(*({ions[name]: pair[side] for name, pair in both.items()} for side in (0, 1)), T)


def fueled(temperature=T, na=10.0, ke=5.4):
    """The conditions at which Pan et al. look at a cell."""
    inside = {Na: na, K: 140.0, ATP: 6.95, ADP: 0.035, Pi: 0.3971, H: 8.112830831617e-5}
    return Bath(inside, {Na: 140.0, K: ke}, temperature)


# --- the Post-Albers pump ---


def test_the_pump_of_pan_et_al_gives_their_printed_numbers():
    v = jnp.arange(-120.0, 61.0, 20.0)
    inside = {Na: 50.0, K: 0.0, ATP: 10.0, ADP: 0.0, Pi: 0.0, H: 3.9811e-5}
    found = 1e3 * jax.jit(pan)(v, Bath(inside, {Na: 150.0, K: 5.4}, LEGACY))
    # Of MATLAB/storage/Terkildsen_NaK_kinetic_Data.csv of their repository, as published.
    printed = (13.7377, 21.5912, 30.2824, 38.1133, 44.1119, 48.3182, 51.2368, 53.3669, 55.0531, 56.5001)
    assert_allclose(found, printed, rtol=0, atol=5e-5)


def test_the_closed_form_is_the_turnover_of_the_graph():
    model, bath = pan_2019(), fueled()
    for v in (-200.0, -80.0, 40.0):
        steady = kinetics.turnover(model, jnp.asarray(v), bath)
        assert_allclose(model.turns(v, bath), steady.flux, rtol=1e-9)
        assert_allclose(pan(v, bath), model.turns(v, bath), rtol=0)
    exchange = QuasiSteady(model, 1000.0).exchange((), jnp.asarray(-80.0), bath)
    turns = 1000.0 * PER_PARTICLE * model.turns(-80.0, bath)
    amounts = dict(zip(bath.species, exchange.inside, strict=True))
    expected = {Na: -3.0, K: 2.0, ATP: -1.0, ADP: 1.0, Pi: 1.0, H: 0.0}
    assert_allclose([amounts[s] for s in expected], [n * turns for n in expected.values()], rtol=1e-9)
    assert_allclose(exchange.current, F * turns, rtol=1e-9)


def test_the_audit_says_by_how_much_published_pumps_are_open():
    bath = fueled()
    standard = pan_2019().apparent(bath)
    assert_allclose(standard, 11.9e3 / (R * T) + np.log(8.112830831617e-8) - np.log(2.001813808), rtol=1e-6)
    open_by = lambda model, v: kinetics.audit(model, v, bath)[0].residual
    for v in (0.0, -80.0):
        assert abs(open_by(pan_2019(hydrolysis=standard), v)) < 1e-3
        # Closed with K_Ki of 0.0725 mM instead of 255.
        assert open_by(terkildsen_2007(hydrolysis=standard), v) == pytest.approx(2 * np.log(255.13 / 0.0725), abs=0.02)
    rough = ohara_rudy_2011(hydrolysis=standard)
    assert open_by(rough, 0.0) == pytest.approx(20.87, abs=0.01)
    # A turn is driven by the voltage as if it moved 1.31 charges.
    per_charge = 80.0 / (1e3 * R * T / F)
    assert open_by(rough, 0.0) - open_by(rough, -80.0) == pytest.approx(0.31 * per_charge, rel=1e-9)
    assert abs(pan_2019().hydrolysis - standard) < 0.05


def test_the_closed_pump_stalls_where_thermodynamics_says():
    model, bath = pan_2019(), fueled()
    atp = model.apparent(bath) + np.log(0.035 * 0.3971 / 6.95 * 1e-3)
    stall = stalling_potential(catalogue.NA_K_ATPASE, bath, energy=atp)
    found = reversal_potential(SteadyState(QuasiSteady(model)), bath, lower=-500.0, upper=0.0)
    assert_allclose(found, stall, atol=0.02)  # the rounding of its constants
    for v, sign in ((stall - 1.0, -1.0), (stall + 1.0, 1.0)):
        assert np.sign(model.turns(v, bath)) == sign


def test_the_current_of_ohara_and_rudy():
    bath = Bath({Na: 7.0, K: 145.0}, {Na: 140.0, K: 5.4}, LEGACY)
    assert_allclose(ohara_rudy(-120.0, bath), 0.06961729700585466, rtol=1e-9)


@pytest.mark.parametrize("states", [2, 3, 5])
def test_the_turnover_of_a_ring_is_that_of_a_linear_system(states):
    rng = np.random.default_rng(states)
    for case in range(4):
        forward, backward = np.exp(rng.normal(0.0, 2.0, (2, states)))
        if case == 3:
            backward[0] = 0.0
        q = np.zeros((states, states))
        for k in range(states):
            q[k, (k + 1) % states] += forward[k]
            q[(k + 1) % states, k] += backward[k]
        q -= np.diag(q.sum(1))
        p = np.linalg.solve(np.vstack([q.T[:-1], np.ones(states)]), np.eye(states)[-1])
        expected = p[0] * forward[0] - p[1] * backward[0]
        assert_allclose(ring_turnover(jnp.asarray(forward), jnp.asarray(backward)), expected, rtol=1e-10)


# --- laws that cannot reverse ---

IRREVERSIBLE = (
    *(sodium_pumps.difrancesco_noble, sodium_pumps.luo_rudy, sodium_pumps.faber_rudy, sodium_pumps.kager),
    *(sodium_pumps.cressman, calcium_pumps.luo_rudy_pmca),
)


def test_saturating_pumps_at_numbers_computed_by_hand():
    bath = cell()
    assert_allclose(sodium_pumps.difrancesco_noble(0.0, bath), 125.0 * 5.4 / 6.4 * 10.0 / 50.0)
    assert_allclose(sodium_pumps.kager(0.0, bath), (5.4 / 7.4) ** 2 * 0.5**3)
    assert_allclose(sodium_pumps.cressman(0.0, bath), 1.25 / (1 + np.exp(5.0)) / (1 + np.exp(0.1)))
    assert_allclose(calcium_pumps.luo_rudy_pmca(0.0, bath), 1.15 / 6.0)
    for v in (-100.0, 40.0):
        u = v / (1e3 * R * T / F)
        f = 1 / (1 + 0.1245 * np.exp(-0.1 * u) + 0.0365 * (np.exp(140 / 67.3) - 1) / 7 * np.exp(-u))
        assert_allclose(sodium_pumps.luo_rudy(v, bath), 1.5 * f * 0.5 * 5.4 / 6.9, rtol=1e-12)
        assert_allclose(sodium_pumps.faber_rudy(v, bath), 2.25 * f * 0.5 * 5.4 / 6.9, rtol=1e-12)


@pytest.mark.parametrize("law", IRREVERSIBLE, ids=lambda law: law.__name__)
def test_what_cannot_reverse_does_not(law):
    """At every voltage, in baths in which the true pump would have to run backward."""
    starved = cell(Na=(1.0, 400.0), K=(200.0, 0.5), Ca=(1e-5, 20.0))
    empty = {ATP: 0.01, ADP: 5.0, Pi: 50.0}
    books = starved.replaced({(s, True): c for s, c in empty.items()})
    pump = catalogue.PMCA if law is calcium_pumps.luo_rudy_pmca else catalogue.NA_K_ATPASE
    books = books.replaced({(H, True): 1e-4, (H, False): 1e-4})
    assert float(turn_energy(pump, books, -150.0)) > 0.0
    v = jnp.linspace(-300.0, 300.0, 25)
    found = law(v, starved)
    assert found.shape == v.shape and np.all(found > 0.0)


# --- Na/Ca exchange ---

EXCHANGERS = (exchangers.difrancesco_noble, exchangers.luo_rudy, exchangers.shannon_weber_bers)


@pytest.mark.parametrize("law", EXCHANGERS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("inside", [(10.0, 1e-4), (16.0, 8e-4)])
def test_exchange_reverses_at_three_sodium_less_two_calcium(law, inside):
    bath = cell(Na=(inside[0], 140.0), Ca=(inside[1], 1.8))
    e_na, e_ca = (nernst(*bath[s], s.z, T) for s in (Na, Ca))
    expected = 3.0 * e_na - 2.0 * e_ca
    assert_allclose(stalling_potential(catalogue.NCX, bath), expected, rtol=1e-12)
    model = Published(law, catalogue.NCX, per_current(catalogue.NCX, 150.0))
    assert_allclose(reversal_potential(SteadyState(model), bath), expected, rtol=1e-9)
    around = law(jnp.stack([expected - 1.0, expected + 1.0]), bath)
    assert around[0] < 0.0 < around[1]


def test_exchange_at_numbers_of_other_programs():
    """-120 mV, 310 K, 10 and 140 mM Na, 0.1 uM and 1.8 mM Ca."""
    expected = (-15.406834399070007, -0.304259443283573, -0.021361385924247852)
    assert_allclose([law(-120.0, cell()) for law in EXCHANGERS], expected, rtol=1e-10)


# --- cotransport ---


def test_cotransport_stands_still_at_its_set_point():
    for carrier, laws in (
        (catalogue.KCC2, (cotransporters.wei_kcc2, cotransporters.linear_kcc2, cotransporters.fraser_huang_kcc2)),
        (catalogue.NKCC1, (cotransporters.wei_nkcc1,)),
    ):
        bath = cell(K=(140.0, 12.0))
        rest = bath.replaced({(Cl, True): set_point(carrier, Cl, bath, -60.0)})
        for law in laws:
            assert abs(law(-60.0, rest)) < 1e-12 * abs(law(-60.0, bath))
            more, less = (rest.replaced({(Cl, True): f * rest.inside[Cl]}) for f in (2.0, 0.5))
            assert law(-60.0, more) * law(-60.0, less) < 0.0


def test_the_two_laws_of_kcc2_are_one():
    """U = g RT/F^2: efflux in mM/s is minus the chloride current."""
    bath = cell()
    u = 2.0 * (R * T / F) * 1e3 / F
    assert_allclose(
        F * cotransporters.wei_kcc2(0.0, bath, U=u), -cotransporters.linear_kcc2(0.0, bath, g=2.0), rtol=1e-12
    )
    assert_allclose(cotransporters.palk_nkcc1(0.0, cell(Na=(0.0, 140.0))), 157.5 / 1.0306)


# --- carriers ---


def test_the_glucose_carrier_is_closed_and_equals_its_graph():
    still = Bath({glc: 5.0}, {glc: 5.0}, T)
    assert abs(lowe_walmsley(0.0, still)) < 1e-17
    bath = Bath({glc: 5.0}, {glc: 12.0}, T)
    carrier = GlucoseCarrier()
    out = kinetics.transported(carrier, kinetics.turnover(carrier, 0.0, bath))[glc]
    assert_allclose(lowe_walmsley(0.0, bath), out, rtol=1e-9)
    assert lowe_walmsley(0.0, bath) < 0.0
    assert abs(kinetics.audit(carrier, -50.0, bath)[0].residual) < 1e-12
    assert kinetics.audit(GlucoseCarrier(k23=2.7), 0.0, bath)[0].residual == pytest.approx(np.log(2.0))


def test_the_proton_exchanger_is_electroneutral_and_closed():
    bath = Bath({Na: 12.0, H: 6.31e-5, NH4: 1.0}, {Na: 140.0, H: 3.98e-5, NH4: 2.0}, T)
    fluxes = weinstein(-40.0, bath)
    assert abs(sum(fluxes.values())) < 1e-16
    scheme = Weinstein()
    outward = kinetics.transported(scheme, kinetics.turnover(scheme, -40.0, bath))
    assert_allclose([fluxes[s] for s in (Na, H, NH4)], [-outward[s] for s in (Na, H, NH4)], rtol=1e-9)
    assert max(abs(cycle.residual) for cycle in kinetics.audit(scheme, -40.0, bath)) < 1e-12
    alone = bath.replaced({(NH4, True): 0.0, (NH4, False): 0.0})
    assert_allclose(1e3 * weinstein(0.0, alone)[Na], 72.87962242497304, rtol=1e-12)
    assert weinstein(0.0, alone)[NH4] == 0.0
    equal = Bath({Na: 24.0, H: 6e-5, NH4: 2.0}, {Na: 48.0, H: 12e-5, NH4: 4.0}, T)
    assert max(abs(x) for x in weinstein(0.0, equal).values()) < 1e-16


def test_the_glutamate_transporter_turns_over_one_way():
    bath = Bath({glu: 10.0}, {glu: 1e-6}, T)
    assert_allclose(1e3 * shchepakin(0.0, bath), 24.33061448081271, rtol=1e-12)
    assert_allclose(shchepakin_current(jnp.asarray(0.0), bath), -0.07703848432443622, rtol=1e-9)
    assert shchepakin(0.0, bath, m1p=0.0) == 0.0
    assert abs(shchepakin_current(jnp.asarray(0.0), bath, m1p=0.0)) < 1e-12
    assert kinetics.audit(Shchepakin(), 0.0, bath)[0].residual == np.inf
    with pytest.raises(ValueError, match="does not say what charge") as problem:
        Shchepakin().charges(bath)
    assert "\n" not in str(problem.value)


def test_the_reticulum_fills_until_the_pump_stands_still():
    """Tran et al. at 150 nM Ca, 0.1 mM ATP: 0.64867 mM in the lumen."""
    cytosol = {Ca: 150e-6, H: 1e-4, ATP: 0.1, ADP: 36.3e-3, Pi: 15.0}
    at = lambda lumen: calcium_pumps.tran(0.0, Bath(cytosol, {Ca: lumen}, T))
    assert_allclose(1e3 * at(0.0), 1.299943159725388, rtol=1e-12)
    assert at(0.64867) > 0.0 > at(0.64868)
    model, bath = calcium_pumps.Tran(), Bath(cytosol, {Ca: 0.3}, T)
    assert_allclose(model.apparent(bath), model.hydrolysis, atol=2e-3)
    assert abs(kinetics.audit(model, 0.0, bath)[0].residual) < 0.05
    # At a voltage it would have to move 4 charges, of which its rates know nothing.
    off = kinetics.audit(model, 20.0, bath)[0].residual - kinetics.audit(model, 0.0, bath)[0].residual
    assert off == pytest.approx(-4.0 * 20.0 / (1e3 * R * T / F))
    assert_allclose(at(0.3), kinetics.turnover(model, jnp.asarray(0.0), bath).flux, rtol=1e-9)
    ratio = 1.7 / 2.46e-4
    assert abs(calcium_pumps.shannon_serca(0.0, Bath({Ca: 1e-4}, {Ca: ratio * 1e-4}, T))) < 1e-12
    assert_allclose(
        calcium_pumps.shannon_serca(0.0, Bath({Ca: 2.46e-4}, {Ca: 0.0}, 320.0)), 286.0 * 2.6 / 2.0, rtol=1e-12
    )


# --- SGLT1 ---


def test_the_sugar_symporter_of_the_library():
    bath = Bath({Na: 10.0, glc: 0.0}, {Na: 100.0, glc: 1.0}, sglt1.TEMPERATURE)
    published, closed = sglt1.model(**sglt1.PUBLISHED).scheme, sglt1.model().scheme
    steady = kinetics.turnover(published, -150.0, bath)
    outward = kinetics.transported(published, steady)
    assert_allclose(-1e3 * outward[glc], 6.986909586591254, rtol=1e-9)
    assert_allclose(-1e3 * outward[Na], 14.032277305315382, rtol=1e-9)
    molar = Bath({Na: 1e3, glc: 1e3}, {Na: 1e3, glc: 1e3}, sglt1.TEMPERATURE)
    residuals = lambda scheme, v: [cycle.residual for cycle in kinetics.audit(scheme, v, molar)]
    for v in (0.0, -80.0):
        assert_allclose(residuals(closed, v), 0.0, atol=1e-12)
        assert_allclose(residuals(published, v), [3.906326e-05, 0.00465946], rtol=1e-5)
    # Another leak of the field: closed at 0 mV alone.
    assert abs(residuals(sglt1.model(alpha1=0.5).scheme, -80.0)[0]) > 0.1
    law = MassAction(2.0, inside={glc: 1}, outside={Na: 2})
    assert law(jnp.zeros(3), bath.replaced({(glc, True): 0.5})).tolist() == [2.0 * 100.0**2 * 0.5] * 3


# --- as mechanisms ---


def test_a_published_law_moves_what_its_stoichiometry_says():
    bath = cell(ATP=(5.0, 0.0), Pi=(1.0, 0.0))
    v = jnp.asarray(-40.0)
    pump = Published(sodium_pumps.faber_rudy, catalogue.NA_K_ATPASE, per_current(catalogue.NA_K_ATPASE, 150.0))
    exchange = pump.exchange(pump.init(v, bath), v, bath)
    assert_allclose(exchange.current, 150.0 * sodium_pumps.faber_rudy(v, bath), rtol=1e-12)
    turns = float(exchange.current) / F
    moved = dict(zip(bath.species, zip(exchange.inside, exchange.outside, strict=True), strict=True))
    zero = (0.0, 0.0)
    expected = {Na: (-3.0, 3.0), K: (2.0, -2.0), Ca: zero, Cl: zero, ATP: (-1.0, 0.0), Pi: (1.0, 0.0)}
    for s, pair in expected.items():
        assert_allclose(moved[s], [n * turns for n in pair], rtol=1e-12)
    charge = np.dot([s.z for s in bath.species], exchange.outside)
    assert_allclose(exchange.current, F * charge, rtol=1e-12)
    assert pump.derivative((), v, bath) == () == pump.advance((), v, bath, jnp.asarray(0.1))
    assert_allclose(current(SteadyState(pump), v, bath), exchange.current, rtol=1e-12)


def test_constants_of_a_published_law_can_be_changed_and_differentiated():
    bath, v = cell(), jnp.asarray(-40.0)
    amplitude = per_current(catalogue.NCX, 1000.0)

    def carried(k_sat):
        return Published(exchangers.luo_rudy, catalogue.NCX, amplitude, k_sat=k_sat).exchange((), v, bath).current

    assert_allclose(carried(0.3), 1000.0 * exchangers.luo_rudy(v, bath, k_sat=0.3), rtol=1e-12)
    slope = (carried(0.3 + 1e-5) - carried(0.3 - 1e-5)) / 2e-5
    assert_allclose(jax.grad(carried)(0.3), slope, rtol=1e-6)


def test_electroneutral_transport_has_no_current_and_lacking_ions_are_named():
    with pytest.raises(ValueError, match="KCC2 moves no charge"):
        per_current(catalogue.KCC2)
    kcc2 = Published(cotransporters.wei_kcc2, catalogue.KCC2, 1e-3 * 2.0)  # 2 pL
    exchange = kcc2.exchange((), jnp.asarray(-60.0), cell())
    assert exchange.current == 0.0
    efflux = float(cotransporters.wei_kcc2(-60.0, cell()))
    place = cell().index(Cl)
    assert_allclose([exchange.inside[place], exchange.outside[place]], [-2e-3 * efflux, 2e-3 * efflux], rtol=1e-12)
    antiport = Published(lambda v, bath: jnp.zeros_like(v), Stoichiometry("x", {NH4: 1, Na: -1}), 1.0)
    with pytest.raises(KeyError, match="NH4"):
        antiport.exchange((), jnp.asarray(0.0), cell())


# --- derivatives ---


def _laws():
    for law in (*IRREVERSIBLE, *EXCHANGERS, cotransporters.wei_kcc2, cotransporters.wei_nkcc1):
        yield law, cell()
    for law in (cotransporters.linear_kcc2, cotransporters.palk_nkcc1, calcium_pumps.shannon_serca):
        yield law, cell()
    yield pan, fueled()


def test_derivatives_agree_with_differences():
    """By the voltage and by every concentration of the inner bath, in one compiled function."""

    def all_laws(v, scale):
        found = []
        for law, bath in _laws():
            inside = {(s, True): scale * bath.inside[s] for s in bath.inside.species}
            found.append(law(v, bath.replaced(inside)))
        return jnp.stack(found)

    run, slopes = jax.jit(all_laws), jax.jit(jax.jacrev(all_laws, (0, 1)))
    v, h = -43.0, 1e-4
    by_v, by_scale = slopes(v, 1.1)
    assert_allclose(by_v, (run(v + h, 1.1) - run(v - h, 1.1)) / (2 * h), rtol=1e-5, atol=1e-9)
    assert_allclose(by_scale, (run(v, 1.1 + h) - run(v, 1.1 - h)) / (2 * h), rtol=1e-5, atol=1e-9)
