"""Model files: what they mean, that they are written back exactly, and what is said about mistakes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import library, modelfile
from jaxmem.channel import Channel
from jaxmem.electrochemistry import K, as_bath
from jaxmem.gating import HodgkinHuxley, Relaxation
from jaxmem.modelfile.table import OWN_UNIT
from jaxmem.permeation import GHK, Ohmic
from jaxmem.results import InputError
from jaxmem.units import dimension, factor

TWO_STATE = """
[parameters]
a = { value = "2 1/s", bounds = ["0.1 1/s", "1e3 1/s"], scale = "log" }
b = { value = 0.05, unit = "1/mV", lower = 0.001, upper = 0.4 }
c = { tie = "a", factor = 2 }
g = "0.15 uS"

[gating]
conducting = ["O"]

[[gating.edges]]
between = ["C", "O"]
forward = { law = "exponential", a = "a", b = "b" }
backward = { law = "exponential", a = "c", b = "-b" }

[permeation]
g = "g"
reversal = "-88 mV"
"""


@eqx.filter_jit
def currents(model, v, bath):
    mechanisms = model if isinstance(model, tuple) else (model,)
    return [m.exchange(m.init(v, bath), v, bath).current for m in mechanisms]


def test_values_bounds_and_ties_are_read_in_the_library_units():
    file = modelfile.loads(TWO_STATE, "two.toml")
    assert file.values == {"a": 2e-3, "b": 0.05, "c": 4e-3, "g": 150.0}
    assert file.name == "two" and file.fixed == ("c", "g") and file.bath is None
    a, b, c, g = file.specifications
    assert (a.lower, a.upper, a.log, a.free) == pytest.approx((1e-4, 1.0, True, True))
    assert (b.lower, b.upper, b.log, b.free) == (0.001, 0.4, False, True)
    assert c.tie == (("a", 1),) and not g.free
    forward, backward = file.model.gating.scheme.rates(jnp.asarray(10.0), as_bath(300.0))
    np.testing.assert_allclose(forward[0], 2e-3 * np.exp(0.5), rtol=1e-6)
    np.testing.assert_allclose(backward[0], 4e-3 * np.exp(-0.5), rtol=1e-6)
    assert file.model.permeation.g == 150.0


def test_building_moves_ties_and_can_be_differentiated():
    file = modelfile.loads(TWO_STATE, "two.toml")
    assert file.build({"a": 0.01}).gating.scheme.backward[0].a == pytest.approx(0.02)
    slope = jax.grad(lambda a: file.build({"a": a}).gating.scheme.backward[0].a)(jnp.asarray(0.01))
    assert slope == 2.0
    for name in ("c", "d"):
        with pytest.raises(
            InputError, match=f"two.toml: '{name}' is not a parameter of its own; they are a, b, g"
        ):
            file.build({name: 1.0})


@pytest.mark.x64
@pytest.mark.parametrize("name", library.MODELS)
def test_library_models_as_files_are_the_same_models(name):
    file = modelfile.loads(library.text(name), name)
    assert file.name == name and file.doi == library.MODELS[name].doi
    model, bath = library.load(name).model(), file.bath
    for v in (-90.0, -20.0, 35.0):
        v = jnp.asarray(v)
        np.testing.assert_allclose(
            sum(currents(file.model, v, bath)), sum(currents(model, v, bath)), rtol=1e-10, atol=1e-12
        )
    mechanism, same = (x[0] if isinstance(x, tuple) else x for x in (file.model, model))
    start, test, dt = jnp.asarray(-80.0), jnp.asarray(20.0), jnp.asarray(3.0)
    states = [m.advance(m.init(start, bath), test, bath, dt) for m in (mechanism, same)]
    for a, b in zip(*map(jax.tree.leaves, states), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", library.MODELS)
def test_writing_and_reading_keeps_every_bit(name):
    file = modelfile.loads(library.text(name), name)
    assert modelfile.loads(modelfile.dumps(file), name).values == file.values
    rng = np.random.default_rng(7)
    for _ in range(20):
        own = [s for s in file.specifications if not s.tie]
        values = {s.name: float(s.quantity.value * (1 + 1e-3 * rng.standard_normal())) for s in own}
        again = modelfile.loads(modelfile.dumps(file, values), name)
        assert again.values == file.parameters.complete(values)
        kept = lambda read: [(s.lower, s.upper, s.log, s.free) for s in read.specifications if not s.tie]
        assert kept(again) == kept(file)


@pytest.mark.parametrize(
    "line",
    [
        'g = { value = 0.15, unit = "uS", bounds = [0.05, 0.5] }',
        'g = { value = { value = 0.15, unit = "uS" }, lower = "50 nS", upper = "0.5 uS" }',
        'g = { value = "0.15uS", bounds = ["50 nS", "0.5 uS"], note = "\\"quoted\\" \\u007f µ" }',
        'g = { value = 0.15, unit = "µS", bounds = [0.05, 0.5], fixed = true }',
    ],
)
def test_quantities_may_be_written_in_several_ways(line):
    file = modelfile.loads(TWO_STATE.replace('g = "0.15 uS"', line), "x")
    for s in file.specifications[-1:]:
        assert (s.quantity.value, s.lower, s.upper) == pytest.approx((150.0, 50.0, 500.0))
        assert s.free is ("fixed" not in line)
    for value in (150.00000000000003, 50 + 1 / 3, 77.7, 499.99999999999994):
        again = modelfile.loads(modelfile.dumps(file, {"g": value}), "x").specifications[-1]
        assert again.quantity.value == value and again.free is file.specifications[-1].free
        assert (again.lower, again.upper) == pytest.approx((50.0, 500.0))


def test_every_dimension_has_a_unit_of_factor_one():
    for kind, unit in OWN_UNIT.items():
        assert dimension(unit) == kind and factor(unit) == 1.0


GATES = """
[parameters]
P = "1e-3 pL/ms"
[gating.gates.m]
power = 3
steady = { v_half = "-30 mV", slope = "6 mV" }
rate = { law = "constant", k = "0.5 1/ms", factor = [2, 3], q10 = 3, reference = "20 C" }
[gating.gates.h]
opening = { law = "sigmoid", a = "1 1/ms", v0 = "-50 mV", s = "-5 mV" }
closing = { law = "exponential", a = "0.1 1/ms", s = "20 mV" }
[gating.rectification]
v_half = "0 mV"
slope = "-20 mV"
[permeation]
kind = "ghk"
permeability = { K = "P" }
[leak]
g = "1 nS"
reversal = "0 mV"
[bath]
temperature = "30 C"
inside = { K = "140 mM" }
outside = { K = "5 mM", Na = "140 mM" }
"""


def test_gates_curves_permeability_bath_and_leak():
    file = modelfile.loads(GATES, "gates.toml")
    channel, leak = file.model
    assert isinstance(channel.gating, HodgkinHuxley) and channel.gating.powers == (3, 1)
    assert isinstance(channel.gating.gates[0], Relaxation) and isinstance(channel.permeation, GHK)
    assert isinstance(leak, Channel) and isinstance(leak.permeation, Ohmic)
    assert file.bath.inside[K] == 140.0 and file.bath.temperature == pytest.approx(303.15)
    steady, rate = channel.gating.relaxation(jnp.asarray(-30.0), file.bath)
    np.testing.assert_allclose(rate[0], 9.0, rtol=1e-6)
    np.testing.assert_allclose(steady[0], 0.5, rtol=1e-6)
    np.testing.assert_allclose(rate[1], 1 / (1 + np.exp(4)) + 0.1 * np.exp(-1.5), rtol=1e-5)
    np.testing.assert_allclose(channel.gating.factor.open_probability((), jnp.asarray(0.0)), 0.5)
    with_nernst = GATES.replace('kind = "ghk"\npermeability = { K = "P" }', 'g = "1 nS"\nspecies = "K"')
    nernst = modelfile.loads(with_nernst.replace('P = "1e-3 pL/ms"', ""), "x").model[0]
    assert nernst.permeation.species == K


def test_a_balanced_rate_closes_a_cycle():
    text = TWO_STATE + "".join(
        f"\n[[gating.edges]]\nbetween = {pair}\nforward = {{ law = 'constant', k = '2 1/ms' }}\n"
        f"backward = {back}\n"
        for pair, back in (
            ("['O', 'I']", "{ law = 'binding', k = '0.1 1/mM/ms', species = 'Na', side = 'outside' }"),
            ("['I', 'C']", "'balanced'"),
        )
    )
    # The edges must stand before [permeation] in the array; order of tables is free in TOML.
    text += '\n[bath]\ntemperature = "25 C"\noutside = { Na = "10 mM" }\n'
    file = modelfile.loads(text, "x")
    forward, backward = file.model.gating.scheme.rates(jnp.asarray(0.0), file.bath)
    np.testing.assert_allclose(np.prod(forward / backward), 1.0, rtol=1e-5)
    assert modelfile.loads(modelfile.dumps(file), "x").model.gating.scheme.states == ("C", "O", "I")
    with pytest.raises(InputError, match=r"x: bath: must give Na; add outside"):
        modelfile.loads(text.replace("Na = ", "K = "), "x")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('scale = "log"', 'sclae = "log"', r"parameters\.a: unknown key 'sclae'; did you mean 'scale'"),
        ("[permeation]", "[permeaton]", r"unknown key 'permeaton'; did you mean 'permeation'"),
        ('scale = "log"', 'scale = "logarithmic"', r"parameters\.a\.scale: unknown word"),
        ('"2 1/s"', '"2"', r"parameters\.a\.value: must be a|parameters\.a\.bounds"),
        ('"0.15 uS"', '"0.15 blorp"', r"parameters\.g: unknown unit 'blorp'"),
        ('"0.15 uS"', '"0.15 pA"', r"must be a quantity of a model .* 'pA', a current"),
        ('"0.15 uS"', "0.15", r"permeation\.g: must be a conductance, but parameter 'g' is in '', a number"),
        (
            '"0.15 uS"',
            '"nan uS"',
            r"parameters\.g: must be a number with a unit such as '0\.1 nS', but is 'nan uS'",
        ),
        ('"0.15 uS"', "true", r"parameters\.g: must be a number"),
        ('"0.15 uS"', "1e400", r"parameters\.g: must be finite"),
        ('"0.15 uS"', '"-1 nS"', r"permeation\.g: must be positive, but parameter 'g'"),
        (
            'reversal = "-88 mV"',
            "reversal = -88",
            r"permeation\.reversal: has no unit; write it, such as '-88 mV'",
        ),
        ('reversal = "-88 mV"', "", r"permeation: must have either a 'reversal'"),
        ('["0.1 1/s", "1e3 1/s"]', '["1e3 1/s", "0.1 1/s"]', r"parameters\.a: the lower bound must be below"),
        (
            '["0.1 1/s", "1e3 1/s"]',
            '["3 1/s", "4 1/s"]',
            r"parameters\.a: the value must lie within the bounds",
        ),
        ('["0.1 1/s", "1e3 1/s"]', '["-1 1/s", "4 1/s"]', r"on a log scale must be positive"),
        (
            '["0.1 1/s", "1e3 1/s"]',
            '["1 mV", "4 mV"]',
            r"must be a 1/time such as '0\.1 1/ms', but is in 'mV'",
        ),
        ('["0.1 1/s", "1e3 1/s"]', "3", r"must be a list of two"),
        (", lower = 0.001, upper = 0.4", ", upper = 0.4", r"parameters\.b: must have a key 'lower'"),
        (", lower = 0.001, upper = 0.4", ", fixed = false", r"parameters\.b: must have bounds to be free"),
        ('tie = "a"', 'tie = "q"', r"parameters\.c\.tie: 'q' is not among the parameters"),
        ('tie = "a"', 'tie = "c"', r"must name a parameter that is not tied itself"),
        (
            'a = "c"',
            'a = "cc"',
            r"edges\[1\]\.backward\.a: 'cc' is not among the parameters; did you mean 'c'",
        ),
        ('a = "c"', 'a = "-c"', r"must be positive, but is minus 'c'"),
        ('a = "c"', 'a = "0 1/ms"', r"must be positive, but is 0"),
        ('a = "c"', 'a = "b"', r"must be a 1/time, but parameter 'b' is in '1/mV'"),
        ('law = "exponential", a = "c"', 'law = "exponental", a = "c"', r"did you mean 'exponential'"),
        ('["O"]', '["P"]', r"gating\.conducting: 'P' is not a state; states are C, O"),
        ('["O"]', "[]", r"must be a list of names"),
        ('["O"]', '["O"]\nstates = ["C", "O", "I"]', r"state 'I' is in 'states' but not in the other"),
        (
            '["C", "O"]',
            '["C", "C"]',
            r"gating\.edges\[1\]\.between: must name two different states, but names C twice",
        ),
        ('["C", "O"]', '["C"]', r"must name two different states"),
        (
            'backward = { law = "exponential", a = "c", b = "-b" }',
            'backward = "balanced"',
            r"closes none|used nowhere",
        ),
        ('g = "g"', 'g = "1 nS"', r"parameters\.g: is used nowhere in the model"),
        ("[gating]", "[gating", r"must be TOML, but is not"),
        ("[parameters]", "[parameters]\n'a b' = 1", r"'a b' must be a name of letters"),
    ],
)
def test_mistakes_are_one_line_that_names_file_and_place(old, new, message):
    assert old in TWO_STATE
    with pytest.raises(InputError, match=r"^two\.toml: .*") as caught:
        modelfile.loads(TWO_STATE.replace(old, new, 1), "two.toml")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    caught.match(message)


def test_disconnected_states_are_named():
    more = '\n[[gating.edges]]\nbetween = ["A", "B"]\nforward = { law = "constant", k = "1 1/ms" }\n'
    more += 'backward = { law = "constant", k = "1 1/ms" }\n'
    with pytest.raises(
        InputError, match=r"two: gating: every state must be reachable from C, but A, B cannot"
    ):
        modelfile.loads(TWO_STATE + more, "two")


def test_rate_limits_are_checked():
    limits = '\n[rate_limits]\nlower = "{} 1/ms"\nupper = "1e3 1/ms"\nv_min = "-120 mV"\nv_max = "{} mV"\n'
    for lower, v_max, message in (("2e3", "60", "below 'upper'"), ("1e-5", "-130", "below 'v_max'")):
        with pytest.raises(InputError, match=message):
            modelfile.loads(TWO_STATE + limits.format(lower, v_max), "two")


@pytest.mark.x64
@pytest.mark.parametrize("name", ["herg_beattie_2018", "herg_fink_2008"])
def test_free_parameters_of_a_file_are_those_of_the_library(name):
    ours, theirs = modelfile.loads(library.text(name), name).free, library.load(name).free()
    assert ours.names == theirs.names
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        assert (a.unit, a.log) == (b.unit, b.log)
        assert (a.lower, a.upper) == pytest.approx((b.lower, b.upper), rel=1e-12)
    as_set = lambda free: {(x.scale, x.slope, x.at, x.lower, x.upper) for x in free.limits}
    assert as_set(ours) == as_set(theirs)
    row = theirs.draw(jax.random.key(1), 1)[0]
    model = library.load(name).model()
    placed = [free.place(model, jnp.asarray(row)) for free in (ours, theirs)]
    for a, b in zip(*map(jax.tree.leaves, placed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_free_parameters_have_the_values_of_the_file():
    free = modelfile.loads(TWO_STATE, "two").free
    assert free.names == ("a", "b") and [p.unit for p in free.parameters] == ["1/ms", "1/mV"]
    assert [p.value for p in free.parameters] == [2e-3, 0.05] and free.limits == ()
    fixed = TWO_STATE.replace(', scale = "log" }', ", fixed = true }").replace(
        "upper = 0.4", "upper = 0.4, fixed = true"
    )
    file = modelfile.loads(fixed, "two.toml")
    with pytest.raises(
        InputError, match=r"two\.toml: parameters: at least one parameter must be free, but all 4 are"
    ):
        _ = file.free


LIMITS = '\n[rate_limits]\nlower = "1e-5 1/ms"\nupper = "1 1/s"\nv_min = "-100 mV"\nv_max = "50 mV"\n'


@pytest.mark.x64
def test_limits_follow_ties_signs_and_fixed_partners():
    one = TWO_STATE.replace('a = "c", b = "-b"', 'a = "c", b = "b"')
    fixed = one.replace("lower = 0.001, upper = 0.4", "lower = 0.001, upper = 0.4, fixed = true")
    wide = LIMITS.replace('"1 1/s"', '"1e2 1/s"')
    with pytest.raises(InputError, match="'a' is the factor of two different laws"):
        _ = modelfile.loads(one + wide, "x").free
    (a,) = modelfile.loads(fixed + wide, "x").free.parameters
    # c = 2 a is limited at 50 mV: 2 a exp(2.5) <= 0.1
    assert a.upper == pytest.approx(0.1 / 2 / np.exp(2.5), rel=1e-12) and a.lower == pytest.approx(1e-4)
    slope = TWO_STATE.replace('scale = "log" }', 'scale = "log", fixed = true }').replace("0.05", "0.02")
    (b,) = modelfile.loads(slope + wide, "x").free.parameters
    # 2 a exp(100 b) <= 0.1 in the falling law, from the tie and the minus sign
    assert b.upper == pytest.approx(np.log(0.1 / 4e-3) / 100, rel=1e-12) and b.lower == 0.001
    with pytest.raises(InputError, match="must keep its sign"):
        _ = modelfile.loads(TWO_STATE.replace("lower = 0.001", "lower = -0.1") + LIMITS, "x").free
    with pytest.raises(InputError, match=r"forward: the rate at its largest, 1e-1\.61 /ms, is outside"):
        _ = modelfile.loads(fixed + LIMITS, "x").free
    linoid = 'law = "linoid", a = "c", v0 = "0 mV", s = "9 mV"'
    with pytest.raises(InputError, match="hold for laws 'constant' and 'exponential'"):
        _ = modelfile.loads(one.replace('law = "exponential", a = "c", b = "b"', linoid) + wide, "x").free


def test_values_that_cannot_be_written_are_refused():
    file = modelfile.loads(TWO_STATE, "two")
    with pytest.raises(InputError, match="must be finite"):
        modelfile.dumps(file, {"a": float("nan")})
    with pytest.raises(InputError, match="'c' is not a parameter of its own"):
        modelfile.dumps(file, {"c": 1.0})


def test_a_value_beyond_its_bounds_widens_them():
    file = modelfile.loads(TWO_STATE, "two")
    above = modelfile.loads(modelfile.dumps(file, {"b": 0.5}), "above")
    below = modelfile.loads(modelfile.dumps(file, {"b": 1e-4}), "below")
    bounds = [next((p.lower, p.upper) for p in x.free.parameters if p.name == "b") for x in (file, above, below)]
    assert bounds == [(0.001, 0.4), (0.001, 0.5), (1e-4, 0.4)]
    assert (above.values["b"], below.values["b"]) == (0.5, 1e-4)


def test_files_are_read_and_unreadable_ones_are_named(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(TWO_STATE, "utf-8")
    assert modelfile.load(path).values == modelfile.loads(TWO_STATE).values
    with pytest.raises(InputError, match="cannot be read"):
        modelfile.load(tmp_path / "three.toml")
    with pytest.raises(InputError, match="cannot be read"):
        modelfile.load(tmp_path)
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(InputError, match="UTF-8"):
        modelfile.load(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="smaller than"):
        modelfile.load(path)


@pytest.mark.parametrize(
    ("kind", "g", "unit"),
    [
        ("ohmic", "0.15 uS", "pA"),
        ("ohmic", "0.036 S/cm2", "uA/cm2"),
        ("ohmic", "1 mS/uF", "pA/pF"),
        ("conductance", "0.15 uS", "nS"),
        ("conductance", "0.036 S/cm2", "mS/cm2"),
    ],
)
def test_the_signal_is_in_the_library_units(kind, g, unit):
    text = TWO_STATE.replace("0.15 uS", g)
    if kind == "conductance":
        text = text.replace('reversal = "-88 mV"', 'kind = "conductance"')
    file = modelfile.loads(text, "two.toml")
    assert file.unit == unit
    parameters, rest = text.split("[gating]")
    inline = parameters.replace(f'g = "{g}"', "") + "[gating]" + rest.replace('g = "g"', f'g = "{g}"')
    assert modelfile.loads(inline, "inline.toml").unit == unit


def test_signals_that_cannot_be_added_are_refused():
    leak = '[leak]\ng = "{}"\nreversal = "-60 mV"\n'
    assert len(modelfile.loads(TWO_STATE + leak.format("1 nS")).model) == 2
    with pytest.raises(InputError, match=r"leak\.g: gives a current density .*, but permeation a current \(pA\)"):
        modelfile.loads(TWO_STATE + leak.format("0.3 mS/cm2"))
    conductance = TWO_STATE.replace('reversal = "-88 mV"', 'kind = "conductance"')
    with pytest.raises(InputError, match="and these are added"):
        modelfile.loads(conductance + leak.format("1 nS"))
