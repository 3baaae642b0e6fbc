"""Pores in model files: what each kind means, that it is written back exactly, and what is said about mistakes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import modelfile
from jaxmem.channel import Channel, SteadyState
from jaxmem.cli import models
from jaxmem.electrochemistry import Ba, Bath, Ca, K, Mg, Na
from jaxmem.gating import AlwaysOpen, HodgkinHuxley
from jaxmem.kinetics import scheme
from jaxmem.permeation import (
    GHK,
    BarrierPore,
    BindingPolynomial,
    Blocked,
    GraphPore,
    Ohmic,
    PermeabilityRatios,
    current,
    woodhull,
)
from jaxmem.rates import Binding, Charged, Constant
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

BATH = Bath({K: 140.0, Na: 12.0, Ca: 1e-3, Ba: 0.5, Mg: 0.8}, {K: 4.0, Na: 145.0, Ca: 1.8, Ba: 3.0, Mg: 1.2}, 298.15)

BARRIER = """
[parameters]
w = { value = "-2 kT", bounds = ["-5 kT", "0 kT"], note = "site" }
b = "8 kT"
u = { value = "1.5 kT", bounds = ["0 kT", "5 kT"] }
d = 0.2
T = "25 C"

[permeation]
kind = "barrier"
distances = [0.1, "d", 0.5, 0.8, 0.9]
interaction = ["u"]
transmission = 0.7
reference = "T"

[permeation.sites]
K = ["w", "-1.5 kT"]
Na = ["-w", "-1 kT"]

[permeation.barriers]
K = ["b", "6 kT", "b"]
Na = ["9 kT", "7.5 kT", "9.2 kT"]
"""

GRAPH = """
[parameters]
K1 = { value = "20 1/M", bounds = ["2 1/M", "200 1/M"], scale = "log" }
off = { value = "1e6 1/s", bounds = ["1e5 1/s", "1e7 1/s"], scale = "log" }
on = { tie = { K1 = 1, off = 1 } }
delta = { value = 0.3, bounds = [0, 1] }

[permeation]
kind = "graph"

[[permeation.edges]]
between = ["empty", "full"]
forward = { law = "binding", k = "on", species = "K", side = "outside", charge = ["-delta", 0] }
backward = { law = "constant", k = "off", charge = "0 e0" }
exchange = { outside = { K = -1 } }

[[permeation.edges]]
between = ["full", "empty"]
forward = { law = "constant", k = "off" }
backward = { law = "binding", k = "on", species = "K", side = "inside", charge = [1, "-delta"] }
exchange = { inside = { K = 1 } }
note = "the other mouth"
"""

BLOCKED = """
[parameters]
on = "5 1/(mM ms)"
off = { value = "20 1/ms", bounds = ["2 1/ms", "200 1/ms"], scale = "log" }
z = { value = "0.7 e0", bounds = ["0 e0", "1 e0"] }
P = "1e-3 pL/ms"

[permeation]
kind = "blocked"
conducting = ["free"]

[permeation.open]
kind = "ratios"
permeability = "P"

[permeation.open.ratio]
K = 1
Na = 0.03

[[permeation.edges]]
between = ["free", "blocked"]
forward = { law = "binding", k = "on", species = "Mg", side = "outside", charge = "-z" }
backward = { law = "constant", k = "off", charge = "z" }
exchange = { outside = { Mg = -1 } }
"""

POLYNOMIAL = """
[parameters]
pair = { value = "25 1/M^2", bounds = ["1 1/M^2", "1e4 1/M^2"], scale = "log" }
slow = "100 1/s"

[permeation]
kind = "polynomial"
side = "inside"

[[permeation.occupancies]]
ions = { Ca = 1 }
constant = "0.5 1/mM"
rate = "slow"

[[permeation.occupancies]]
ions = { Ca = 1, Ba = 1 }
constant = "pair"
rate = "3e3 1/ms"
"""

RATIOS = """
[parameters]
P = { value = "1e-3 pL/ms", bounds = ["1e-4 pL/ms", "1e-2 pL/ms"], scale = "log" }
r = { value = 0.03, bounds = [0.001, 1], scale = "log" }
[permeation]
kind = "ratios"
permeability = "P"
ratio = { K = 1, Na = "r" }
"""

OHMIC = """
[parameters]
gK = "2 nS"
gNa = { value = "50 pS", bounds = ["1 pS", "1 nS"] }
[permeation]
species = ["K", "Na"]
g = ["gK", "gNa"]
"""

SCHEME = scheme(
    {
        ("empty", "full"): (Charged(Binding(20.0, K, False), -0.3), Charged(Constant(1000.0), 0.0)),
        ("full", "empty"): (Constant(1000.0), Charged(Binding(20.0, K, True), 0.7)),
    },
    exchange={("empty", "full"): {(K, False): -1}, ("full", "empty"): {(K, True): 1}},
)
MEANINGS = {
    "barrier": (
        BARRIER,
        lambda: BarrierPore(
            {K: [-2.0, -1.5], Na: [2.0, -1.0]},
            {K: [8.0, 6.0, 8.0], Na: [9.0, 7.5, 9.2]},
            [0.1, 0.2, 0.5, 0.8, 0.9],
            [1.5],
            transmission=0.7,
            reference=298.15,
        ),
    ),
    "graph": (GRAPH, lambda: GraphPore(SCHEME)),
    "blocked": (
        BLOCKED,
        lambda: Blocked(PermeabilityRatios(1e-3, {K: 1.0, Na: 0.03}), woodhull(Mg, 5.0, 20.0, 0.7), ("free",)),
    ),
    "polynomial": (
        POLYNOMIAL,
        lambda: BindingPolynomial(({Ca: 1}, {Ca: 1, Ba: 1}), [0.5, 25e-6], [0.1, 3e3], inside=True),
    ),
    "ratios": (RATIOS, lambda: PermeabilityRatios(1e-3, {K: 1.0, Na: 0.03})),
    "ohmic": (OHMIC, lambda: Ohmic(np.asarray([2.0, 0.05]), species=(K, Na))),
    "ghk": (
        "[permeation]\nkind = 'ghk'\npermeability = { K = '1e-3 pL/ms', Ca = '1e-4 pL/ms' }",
        lambda: GHK(np.asarray([1e-3, 1e-4]), (K, Ca)),
    ),
}


@eqx.filter_jit
def currents(law, v):
    """At several voltages, compiled once for laws that are alike."""
    return jax.vmap(lambda v: current(law, v, BATH))(v)


def same(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-14)


@pytest.mark.parametrize("kind", MEANINGS)
def test_every_kind_is_the_open_pore_of_the_library(kind):
    text, pore = MEANINGS[kind]
    file = modelfile.loads(text, "pore.toml")
    assert isinstance(file.model, Channel) and isinstance(file.model.gating, AlwaysOpen)
    assert file.unit == "pA" and file.bath is None
    assert jax.tree.structure(file.model.permeation) == jax.tree.structure(pore())
    ours, theirs = (currents(law, jnp.asarray([-80.0, 0.0, 45.0])) for law in (file.model.permeation, pore()))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.all(np.abs(theirs) > 0)


def test_species_are_all_that_a_model_names():
    named = {kind: modelfile.loads(text).species for kind, (text, _) in MEANINGS.items()}
    assert named == {
        "barrier": (K, Na),
        "graph": (K,),
        "blocked": (K, Na, Mg),
        "polynomial": (Ca, Ba),
        "ratios": (K, Na),
        "ohmic": (K, Na),
        "ghk": (K, Ca),
    }


@pytest.mark.parametrize("kind", MEANINGS)
def test_writing_and_reading_keeps_every_bit(kind):
    file = modelfile.loads(MEANINGS[kind][0], "pore.toml")
    rng = np.random.default_rng(5)
    for _ in range(5):
        values = {
            s.name: float(s.quantity.value * (1 + 1e-3 * rng.standard_normal()))
            for s in file.specifications
            if not s.tie
        }
        text = modelfile.dumps(file, values)
        again = modelfile.loads(text, "pore.toml")
        assert again.values == file.parameters.complete(values)
        assert modelfile.dumps(again) == text
        assert [(s.lower, s.upper, s.log, s.free) for s in again.specifications] == [
            (s.lower, s.upper, s.log, s.free) for s in file.specifications
        ]
        same(again.model, file.build(values))


def test_tables_are_written_as_tables():
    written = {kind: modelfile.dumps(modelfile.loads(text)) for kind, (text, _) in MEANINGS.items()}
    for kind, headers in {
        "barrier": ("[permeation.sites]", "[permeation.barriers]"),
        "graph": ("[[permeation.edges]]",),
        "blocked": ("[permeation.open]", "[permeation.open.ratio]", "[[permeation.edges]]"),
        "polynomial": ("[[permeation.occupancies]]",),
        "ratios": ("[permeation.ratio]",),
    }.items():
        assert all(f"\n{header}\n" in written[kind] for header in headers)
    assert max(map(len, written["graph"].splitlines())) < 120
    named = RATIOS.replace("P = {", "edges = {").replace('"P"', '"edges"')
    assert modelfile.loads(modelfile.dumps(modelfile.loads(named))).values["edges"] == 1e-3


def test_energies_can_be_fitted():
    file = modelfile.loads(BARRIER, "pore.toml")
    assert file.free.names == ("w", "u")
    at = jax.jit(jax.value_and_grad(lambda w: current(file.build({"w": w}).permeation, -60.0, BATH)))
    (below, _), (_, slope), (above, _) = (at(jnp.asarray(w)) for w in (-2.0 - 1e-5, -2.0, -2.0 + 1e-5))
    np.testing.assert_allclose(slope, (above - below) / 2e-5, rtol=1e-7)
    placed = file.free.place(file.model, jnp.asarray([-1.0, 2.0])).permeation
    assert placed.sites[0, 0] == -1.0 and placed.sites[1, 0] == 1.0 and placed.interaction.energy[0] == 2.0


def test_a_gate_may_open_any_pore():
    gate = """
[gating.gates.n]
opening = { law = "constant", k = "1 1/ms" }
closing = { law = "constant", k = "3 1/ms" }
"""
    for text, _ in MEANINGS.values():
        gated, always = modelfile.loads(text + gate).model, modelfile.loads(text).model
        assert isinstance(gated.gating, HodgkinHuxley)
        same(gated.permeation, always.permeation)
    ratio = current(SteadyState(gated), -50.0, BATH) / current(SteadyState(always), -50.0, BATH)
    np.testing.assert_allclose(ratio, 0.25, rtol=1e-12)


def test_channels_leaks_and_exchanging_gates_stand_together():
    text = BARRIER.replace("[permeation", "[channels.K.permeation") + """
[[channels.Mg.gating.edges]]
between = ["C", "O"]
forward = { law = "binding", k = "2 1/(mM ms)", species = "Mg", side = "inside" }
backward = { law = "constant", k = "1 1/ms", charge = "0.5 e0" }
exchange = { inside = { Mg = -2 } }
[channels.Mg.gating]
conducting = ["O"]
[channels.Mg.permeation]
g = "1 nS"
reversal = "0 mV"
[leak]
g = "1 nS"
reversal = "-60 mV"
"""
    file = modelfile.loads(text, "x")
    pore, gated, leak = file.model
    assert isinstance(pore.gating, AlwaysOpen) and isinstance(leak.gating, AlwaysOpen)
    assert gated.gating.scheme.exchange == ((((Mg, True), -2),),)
    assert file.species == (K, Na, Mg)
    backward = gated.gating.scheme.rates(jnp.asarray(25.0), BATH)[1][0]
    np.testing.assert_allclose(backward, np.exp(0.5 * 25.0 / 25.692579121), rtol=1e-9)
    same(modelfile.loads(modelfile.dumps(file), "x").model, file.model)


def test_a_bath_lists_every_ion_or_none():
    names = '\n[bath]\ntemperature = "25 C"\n'
    assert modelfile.loads(BARRIER + names).bath.species == ()
    whole = 'inside = { K = "140 mM", Na = "0 mM" }\noutside = { K = "4 mM", Na = "145 mM" }\n'
    assert modelfile.loads(BARRIER + names + whole).bath.species == (K, Na)
    with pytest.raises(InputError, match=r'^x: bath: must give Na; add outside = \{ Na = "1 mM" \}$'):
        modelfile.loads(BARRIER + names + whole.replace(', Na = "145 mM"', ""), "x")
    # A blocker from outside, and an edge that releases inside, count on their own side alone.
    inner = names + 'inside = { K = "140 mM", Na = "10 mM" }\noutside = { K = "4 mM", Na = "145 mM", Mg = "1 mM" }\n'
    assert Mg in modelfile.loads(BLOCKED + inner).bath
    with pytest.raises(InputError, match="must give Mg"):
        modelfile.loads(BLOCKED + inner.replace(', Mg = "1 mM"', ""), "x")


def test_a_bath_without_an_ion_is_refused_where_it_is_used():
    chosen = models.describe(modelfile.loads('name = "K channel"\n' + RATIOS, "x"))
    assert models.supplied(chosen, BATH) is BATH and chosen.gates == () and chosen.unit == "pA"
    with pytest.raises(InputError) as caught:
        models.supplied(chosen, Bath({K: 140.0}, {K: 4.0}, 298.15))
    assert str(caught.value) == (
        "K channel: the bath must hold Na, which the model names; write --bath Na=INSIDE|OUTSIDE, or add it to [bath] "
        "of the model file"
    )


def test_products_are_tied_with_unit_range_and_derivative():
    file = modelfile.loads(GRAPH, "x")
    on = file.specifications[2]
    assert on.quantity.dimension == "1/(concentration time)" and on.quantity.unit == "1/(mM ms)"
    assert (on.quantity.value, on.lower, on.upper) == pytest.approx((20.0, 0.2, 2000.0), rel=1e-12)
    assert file.fixed == ("on",) and file.free.names == ("K1", "off", "delta")
    law = lambda off: file.build({"off": off}).permeation.scheme.forward[0].rate.k
    assert jax.grad(law)(jnp.asarray(50.0)) == pytest.approx(0.02)
    more = 'r = { tie = { K1 = -1, on = 0 } }\n'
    with pytest.raises(InputError, match=r"x: parameters\.r\.tie\.on: must name a parameter that is not tied itself"):
        modelfile.loads(GRAPH.replace("[permeation]", more + "[permeation]", 1), "x")


def ratio(tie: str, more: str = "") -> str:
    """A ratio that is tied to `a`, which is free, to `b`, and to what `more` adds."""
    return f"""
[parameters]
a = {{ value = "4 1/ms", bounds = ["1 1/ms", "9 1/ms"] }}
b = "2 1/ms"
{more}
r = {tie}
[permeation]
kind = "ratios"
permeability = "1 pL/ms"
ratio = {{ K = 1, Na = "r" }}
[gating.gates.x]
opening = {{ law = "constant", k = "a" }}
closing = {{ law = "constant", k = "b" }}
"""


def test_products_divide_and_have_ranges():
    (*_, r) = modelfile.loads(ratio("{ tie = { a = -2, b = 2 }, factor = 3 }")).specifications
    assert (r.quantity.value, r.quantity.unit) == (0.75, "")
    assert (r.lower, r.upper) == pytest.approx((12.0 / 81.0, 12.0))
    (*_, r) = modelfile.loads(ratio("{ tie = { b = 1, c = -1 } }", "c = '8 1/ms'")).specifications
    assert (r.quantity.value, r.lower, r.upper) == (0.25, None, None)


@pytest.mark.parametrize(
    ("tie", "more", "message"),
    [
        ("{ tie = { a = 1 , b = 1 } }", "", r"parameters\.r\.tie: the product must measure .* but is in time\^-2"),
        ("{ tie = { a = 1, q = 1 } }", "", r"parameters\.r\.tie\.q: 'q' is not among the parameters"),
        ("{ tie = {} }", "", r"parameters\.r\.tie: must name at least one parameter"),
        ("{ tie = { a = 1.5 } }", "", r"parameters\.r\.tie\.a: must be a whole number from -4 to 4, but is 1\.5"),
        ("{ tie = { a = true } }", "", r"must be a whole number"),
        ("{ tie = { a = 1, c = -1 } }", "c = '0 1/ms'", r"'c' must not be zero within its bounds"),
        (
            "{ tie = { b = 1, c = -1 } }",
            "c = { value = '1 1/ms', bounds = ['-1 1/ms', '1 1/ms'] }",
            r"'c' must not be zero within its bounds",
        ),
        ("{ tie = { b = 4, c = -4 } }", "c = '1e-300 1/ms'", r"parameters\.r: is too large|parameters\.r\.tie: is too"),
        ("{ tie = { a = 1, c = -1 } }", "c = '-2 1/ms'", r"permeation\.ratio\.Na: must be positive, but parameter 'r'"),
    ],
)
def test_mistakes_in_products_are_one_line(tie, more, message):
    with pytest.raises(InputError, match=r"^x: .*") as caught:
        modelfile.loads(ratio(tie, more), "x")
    assert "\n" not in str(caught.value)
    caught.match(message)


def test_rate_limits_refuse_what_they_cannot_limit():
    limits = '\n[rate_limits]\nlower = "1e-9 1/ms"\nupper = "1e9 1/ms"\nv_min = "-100 mV"\nv_max = "50 mV"\n'
    with pytest.raises(InputError, match=r"x: permeation\.edges\[1\]\.forward\.charge: \[rate_limits\] hold for laws"):
        _ = modelfile.loads(GRAPH + limits, "x").free
    text = ratio("{ tie = { a = 1, b = -1 } }", "c = { tie = { a = 2, b = -1 } }").replace('k = "b"', 'k = "c"')
    assert modelfile.loads(text, "x").free.names == ("a",)
    with pytest.raises(InputError, match="hold for a multiple of one parameter, but 'c' is a product"):
        _ = modelfile.loads(text + limits, "x").free


MISTAKES = [
    (BARRIER, 'kind = "barrier"', 'kind = "barier"', r"kind: unknown word 'barier'; did you mean 'barrier'"),
    (BARRIER, '"-1.5 kT"', '"-1.5 kJ/mol"', r"sites\.K\[2\]: must be in kT, as 1 kJ/mol is 0\.4034 kT at 298\.15 K"),
    (BARRIER, '"-2 kT"', '"-2 kcal/mol"', r"parameters\.w\.value: must be in kT, as 1 kcal/mol is 1\.688 kT"),
    (BARRIER, '"-1.5 kT"', '"-1.5 mV"', r"permeation\.sites\.K\[2\]: must be an energy such as '0\.1 kT'"),
    (BARRIER, '"-1.5 kT"', "-1.5", r"permeation\.sites\.K\[2\]: has no unit; write it, such as '-1\.5 kT'"),
    (BARRIER, '["w", "-1.5 kT"]', '["w", "x"]', r"permeation\.sites\.K\[2\]: 'x' is not among the parameters"),
    (BARRIER, '["w", "-1.5 kT"]', '["w"]', r"permeation\.sites: must have as many energies .* 1 for K, 2 for Na"),
    (BARRIER, '["w", "-1.5 kT"]', "[]", r"permeation\.sites\.K: must have at least one entry"),
    (BARRIER, '["w", "-1.5 kT"]', '["d", "-1 kT"]', r"sites\.K\[1\]: must be an energy, but parameter 'd' is in ''"),
    (BARRIER, '["b", "6 kT", "b"]', '["b", "b"]', r"permeation\.barriers: must have as many energies"),
    (BARRIER, 'K = ["b", "6 kT", "b"]', "", r"must have the same ions in 'sites' and 'barriers', .* K, Na and Na"),
    (BARRIER, "distances = [0.1,", "distances = [0.3,", r"permeation: argument `distances` must increase"),
    (BARRIER, '0.1, "d", 0.5', "0.1, 0.5", r"permeation: argument `distances` must have 5 values for 2 sites"),
    (BARRIER, 'interaction = ["u"]', 'interaction = ["u", "u"]', r"argument `interaction` must have at most"),
    (BARRIER, "transmission = 0.7", "transmission = 0", r"permeation\.transmission: must be positive"),
    (BARRIER, 'K = ["w"', 'Kx = ["w"', r"permeation\.sites: unknown key 'Kx'; did you mean 'K'"),
    (BARRIER, "[permeation.sites]", "[permeation.wells]", r"permeation: unknown key 'wells'"),
    (
        BARRIER,
        'K = ["w", "-1.5 kT"]\nNa = ["-w", "-1 kT"]',
        f"K = {['0 kT'] * 13}\nNa = {['0 kT'] * 13}",
        r"permeation\.sites: must be a pore of at most 10 sites, but has 13",
    ),
    (GRAPH, "[1, ", "[true, ", r"edges\[2\]\.backward\.charge\[1\]: must be a number with a unit"),
    (GRAPH, '["-delta", 0]', '"-delt"', r"edges\[1\]\.forward\.charge: 'delt' is not among .*; did you mean 'delta'"),
    (GRAPH, '"0 e0"', '"0 mV"', r"edges\[1\]\.backward\.charge: must be a charge such as '0\.1 e0'"),
    (GRAPH, "{ outside = { K = -1 } }", "{ outer = { K = -1 } }", r"edges\[1\]\.exchange: unknown key 'outer'"),
    (GRAPH, "{ outside = { K = -1 } }", "{ outside = { K = 0 } }", r"exchange\.outside\.K: must not be zero"),
    (GRAPH, "{ outside = { K = -1 } }", "{ outside = { K = 0.5 } }", r"must be a whole number from -20 to 20"),
    (GRAPH, "{ outside = { K = -1 } }", "{ outside = {} }", r"must name at least one ion"),
    (GRAPH, "exchange = { outside = { K = -1 } }", "", r"permeation: a pore must exchange K with both sides"),
    (
        GRAPH,
        "exchange = { inside = { K = 1 } }",
        "exchange = { outside = { K = 1 } }",
        r"edges\[2\]\.between: full and empty are joined twice; add the rates; or turn",
    ),
    (GRAPH, '["full", "empty"]', '["empty", "full"]', r"edges\[2\]\.between: empty and full are joined twice"),
    (
        GRAPH,
        'backward = { law = "constant", k = "off", charge = "0 e0" }',
        'backward = "balanced"',
        r"edges\[1\]\.backward: must be a rate in a graph that exchanges ions",
    ),
    (BLOCKED, '["free"]', '["open"]', r"permeation\.conducting: 'open' is not a state; states are free, blocked"),
    (BLOCKED, '["free"]', "{ free = 0.5 }", r"permeation\.conducting: must be a list of names"),
    (BLOCKED, 'kind = "ratios"', 'kind = "blocked"', r"permeation\.open\.kind: must not be blocked itself"),
    (BLOCKED, "K = 1\n", "K = -1\n", r"permeation\.open\.ratio\.K: must be positive"),
    (POLYNOMIAL, '"pair"', '"0.5 1/mM"', r"\[2\]\.constant: must be a 1/concentration\^2 such as '0\.1 1/mM\^2'"),
    (POLYNOMIAL, "{ Ca = 1, Ba = 1 }", "{ Ba = 1 }", r"must be a 1/concentration, but parameter 'pair' is in"),
    (POLYNOMIAL, "{ Ca = 1, Ba = 1 }", "{ Ca = 1 }", r"occupancies\[2\]\.ions: is an occupancy that is already there"),
    (POLYNOMIAL, "{ Ca = 1, Ba = 1 }", "{ Ca = 4, Ba = 1 }", r"occupancies\[2\]\.ions: must hold at most 4 ions"),
    (POLYNOMIAL, "{ Ca = 1, Ba = 1 }", "{}", r"occupancies\[2\]\.ions: must name at least one ion"),
    (POLYNOMIAL, '"3e3 1/ms"', '"-3e3 1/ms"', r"occupancies\[2\]\.rate: must be positive"),
    (RATIOS, 'Na = "r"', 'Na = "P"', r"permeation\.ratio\.Na: must be a number, but parameter 'P'"),
    (RATIOS, "K = 1", "K = '1 nS'", r"permeation\.ratio\.K: must be a number"),
    (OHMIC, '["K", "Na"]', '["K", "K"]', r"permeation\.species: names K twice"),
    (OHMIC, '["K", "Na"]', '["K", 7]', r"permeation\.species\[2\]: must be text in quotes"),
    (OHMIC, '["K", "Na"]', '["K"]', r"permeation\.g: must be a list of 1, one for each ion, but has 2"),
    (OHMIC, '"2 nS"', '"2 mS/cm2"', r"\.g\[2\]: must be a conductance density as the first is"),
]


@pytest.mark.parametrize(("text", "old", "new", "message"), MISTAKES)
def test_mistakes_are_one_line_that_names_file_and_place(text, old, new, message):
    assert old in text
    with pytest.raises(InputError, match=r"^pore\.toml: .*") as caught:
        modelfile.loads(text.replace(old, new, 1), "pore.toml")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    caught.match(message)
