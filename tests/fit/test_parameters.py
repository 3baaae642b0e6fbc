"""Bounds, search coordinates, starts and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from stand_ins import Numbers

from jaxmem.channel import Channel
from jaxmem.electrochemistry import Ca, Na
from jaxmem.fit import Free, Parameter, RateLimit, between, free, log_between, rate_box
from jaxmem.gating import AlwaysOpen, Gate, HodgkinHuxley
from jaxmem.permeation import BarrierPore, Ohmic
from jaxmem.rates import Exponential
from jaxmem.results import InputError

pytestmark = pytest.mark.x64


def channel():
    gate = Gate(Exponential(0.1, 0.05), Exponential(0.2, -0.04))
    return Channel(HodgkinHuxley((gate,), (1,)), Ohmic(10.0, reversal=-80.0))


RATES = {"rate": (1.67e-5, 1e3), "v": (-120.0, 60.0)}
LIMITED = free(
    (lambda m: m.permeation.g, log_between(1.0, 100.0)),
    rate_box(lambda m: m.gating.gates[0].opening, log_between(1e-7, 1e3), between(1e-7, 0.4), **RATES),
    rate_box(lambda m: m.gating.gates[0].closing, log_between(1e-7, 1e3), between(-0.4, -1e-7), **RATES),
)


def test_names_and_units_come_from_the_model():
    bound = LIMITED.bind(channel())
    assert bound.names[:3] == ("permeation.g", "gating.gates[0].opening.a", "gating.gates[0].opening.b")
    assert [p.unit for p in bound.parameters] == ["nS", "1/ms", "1/mV", "1/ms", "1/mV"]


def test_place_puts_values_where_they_were_selected_and_read_gets_them():
    values = jnp.array([5.0, 0.3, 0.02, 0.7, -0.01])
    model = LIMITED.place(channel(), values)
    assert float(model.permeation.g) == 5.0
    assert float(model.gating.gates[0].closing.b) == -0.01
    assert [float(x) for x in LIMITED.read(model)] == values.tolist()


def test_search_coordinates_go_both_ways_and_limit_the_largest_rate():
    values = np.array([5.0, 0.3, 0.02, 0.7, -0.01])
    x = LIMITED.to_search(values)
    assert np.allclose(LIMITED.from_search(x), values, rtol=1e-14)
    assert np.isclose(x[1], np.log(0.3 * np.exp(0.02 * 60.0)))
    assert np.isclose(x[3], np.log(0.7 * np.exp(-0.01 * -120.0)))
    lower, upper = LIMITED.box
    assert np.isclose(np.exp(lower[1]), 1.67e-5) and np.isclose(np.exp(upper[3]), 1e3)


def test_starts_meet_bounds_and_limits_and_depend_on_their_lane_alone():
    values = LIMITED.draw(jax.random.key(3), 200)
    assert np.array_equal(LIMITED.draw(jax.random.key(3), 7), values[:7])
    lower, upper = LIMITED.box
    x = LIMITED.to_search(values)
    assert np.all((x >= lower) & (x <= upper))
    assert np.all((values[:, 1] >= 1e-7) & (values[:, 1] <= 1e3))


def test_starts_are_uniform_in_the_search_scale():
    one = free((lambda m: m.a, log_between(1e-4, 1.0)), (lambda m: m.b, between(-1.0, 3.0, start=(0.0, 1.0))))
    values = one.draw(jax.random.key(0), 4000)
    deciles = np.linspace(0.1, 0.9, 9)
    assert np.allclose(np.quantile(1.0 + np.log10(values[:, 0]) / 4.0, deciles), deciles, atol=0.03)
    assert np.allclose(np.quantile(values[:, 1], deciles), deciles, atol=0.03)


def test_tied_parameters_have_their_own_place():
    tied = Free((Parameter("both", "", 0.0, 9.0),), lambda m, v: Numbers(v[0], 2.0 * v[0], m.c))
    model = tied.place(Numbers(1.0, 1.0, 4.0), jnp.array([3.0]))
    assert (float(model.a), float(model.b), float(model.c)) == (3.0, 6.0, 4.0)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: free(), "at least one"),
        (lambda: free((lambda m: m.a, between(2.0, 1.0))), "exchange them"),
        (lambda: free((lambda m: m.a, log_between(-1.0, 1.0))), "use `between`"),
        (lambda: free((lambda m: m.a, between(0.0, 1.0, value=2.0))), "must lie in the bounds"),
        (lambda: free((lambda m: m.a, between(0.0, 1.0, start=(0.5, 2.0)))), "finite range inside"),
        (lambda: free((lambda m: m.a, between(0.0, np.inf))), "give `start`"),
        (lambda: free((lambda m: m.a, between(0, 1)), (lambda m: m.a, between(0, 1))), "occurs twice"),
        (
            lambda: free((lambda m: m.number, between(0, 1)), (lambda m: m.permeation.g, between(0, 1))),
            "product",
        ),
        (
            lambda: free((lambda m: m[0].number, between(0, 1)), (lambda m: m[0].permeation.g, between(0, 1))),
            "product",
        ),
        (lambda: free(lambda m: m.a), "Each entry must be"),
        (lambda: free((lambda m: m.a + 1, between(0, 1))), "attributes and indices"),
        (lambda: rate_box(lambda m: m, log_between(1e-3, 1), between(-1, 1), **RATES), "keep its sign"),
        (lambda: Free(LIMITED.parameters, LIMITED.place, (RateLimit(1, 2, 60.0, 2.0, 1.0),)), "in order"),
        (lambda: Free(LIMITED.parameters, LIMITED.place, (RateLimit(2, 1, 60.0, 1.0, 2.0),)), "log_between"),
    ],
)
def test_refusals_say_why(make, words):
    with pytest.raises(InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_both_channels_of_a_membrane_may_free_one_factor_each():
    assert free((lambda m: m[0].number, between(0, 1)), (lambda m: m[1].permeation.g, between(0, 1))).limits == ()


def test_limits_that_no_start_meets_are_refused():
    impossible = free(
        rate_box(
            lambda m: m.gating.gates[0].opening,
            log_between(1e-7, 1e-6),
            between(1e-7, 1e-6),
            rate=(1.0, 2.0),
            v=(0.0, 9.0),
        )
    )
    with pytest.raises(InputError, match="No start meets"):
        impossible.draw(jax.random.key(0), 1)


def test_a_parameter_that_is_not_in_the_model_is_refused():
    with pytest.raises(InputError, match="not in the model"):
        free((lambda m: m.nothing, between(0, 1))).bind(channel())
    with pytest.raises(InputError, match="single number"):
        free((lambda m: m.gating, between(0, 1))).bind(channel())


# ---- elements of arrays


def pore():
    barriers = {Ca: [6.0, -4.0, 7.0], Na: [11.0, 3.0, 12.0]}
    return BarrierPore({Ca: [-13.0, -12.0], Na: [-1.5, -1.0]}, barriers, None, (1.4,))


ELEMENTS = free(
    (lambda m: m[1].permeation.barriers[0, 1], between(-9.0, 9.0)),
    (lambda m: m[0].permeation.g, log_between(1.0, 100.0)),
    (lambda m: m[1].permeation.barriers[1][-1], between(0.0, 20.0)),
    (lambda m: m[1].permeation.interaction.energy[0], between(0.0, 5.0, name="repulsion")),
    (lambda m: m[1].permeation.sites[0, 0], between(-20.0, 0.0)),
)


def membrane():
    return channel(), Channel(AlwaysOpen(), pore())


def test_elements_of_arrays_are_freed_one_by_one():
    model = membrane()
    assert [float(x) for x in ELEMENTS.read(model)] == [-4.0, 10.0, 12.0, 1.4, -13.0]
    changed = ELEMENTS.place(model, jnp.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert [float(x) for x in ELEMENTS.read(changed)] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert changed[1].permeation.barriers.tolist() == [[6.0, 1.0, 7.0], [11.0, 3.0, 3.0]]
    assert changed[1].permeation.sites.tolist() == [[5.0, -12.0], [-1.5, -1.0]]
    assert model[1].permeation.barriers[0, 1] == -4.0 and float(changed[0].permeation.g) == 2.0
    bound = ELEMENTS.bind(model)
    assert bound.names == (
        "[1].permeation.barriers[0, 1]", "[0].permeation.g", "[1].permeation.barriers[1][-1]", "repulsion",
        "[1].permeation.sites[0, 0]",
    )  # fmt: skip
    assert [p.unit for p in bound.parameters] == ["kT", "nS", "kT", "kT", "kT"]


def test_elements_are_placed_and_differentiated_in_compiled_code():
    total = lambda values: jnp.sum(ELEMENTS.place(membrane(), values)[1].permeation.barriers ** 2)
    slopes = jax.jit(jax.grad(total))(jnp.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert slopes.tolist() == [2.0, 0.0, 6.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "where, words",
    [
        (lambda m: m.barriers[0, 3], r"barriers\[0, 3\] is outside of its array, which has shape \(2, 3\)"),
        (lambda m: m.barriers[-3][0], "outside of its array"),
        (lambda m: m.barriers[0, 0, 0], "outside of its array"),
        (lambda m: m.barriers[0.0, 1], "whole numbers"),
        (lambda m: m.barriers[0, :1], "whole numbers"),
        (lambda m: m.barriers.T[0, 1], "whole numbers"),
        (lambda m: m.barriers[1], "single number.*free an element"),
        (lambda m: m.barriers, "single number.*free an element"),
        (lambda m: m.walls[0], "not in the model"),
    ],
)
def test_an_element_that_is_not_there_is_refused_in_one_line(where, words):
    with pytest.raises(InputError, match=words) as caught:
        free((where, between(0.0, 1.0))).bind(pore())
    assert "\n" not in str(caught.value)


def test_the_same_element_under_two_names_is_refused():
    twice = free((lambda m: m.barriers[0, 2], between(0, 9)), (lambda m: m.barriers[0][-1], between(0, 9)))
    with pytest.raises(InputError, match=r"barriers\[0, 2\] and barriers\[0\]\[-1\] are the same number"):
        twice.bind(pore())
    with pytest.raises(InputError, match="occurs twice"):
        free((lambda m: m.barriers[0, 2], between(0, 9)), (lambda m: m.barriers[0, 2], between(0, 9)))
