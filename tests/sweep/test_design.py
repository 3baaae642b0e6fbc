"""What is varied, where the points of a design lie, and how lanes are cut into chunks."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from growth import growth
from scipy.stats import qmc

from jaxmem import sweep
from jaxmem.fit import between, log_between
from jaxmem.results import InputError
from jaxmem.sweep.layout import layout


def whole(varied):
    return varied.values(0, varied.lanes)


def test_a_grid_is_every_combination_and_is_not_held():
    varied = sweep.vary(growth(), (lambda m: m.rate, [1.0, 2.0, 3.0]), (lambda m: m.room[1], [5.0, 7.0]))
    assert varied.shape == (3, 2) and varied.names == ("rate", "room[1]")
    assert [axis.unit for axis in varied.axes] == ["1/ms", "mM"]
    np.testing.assert_array_equal(whole(varied), list(itertools.product([1.0, 2.0, 3.0], [5.0, 7.0])))
    large = sweep.vary(growth(), (lambda m: m.rate, np.arange(3e5)), (lambda m: m.room[1], np.arange(3e5)))
    assert large.lanes == 90_000_000_000
    np.testing.assert_array_equal(large.values(89_999_999_998, 89_999_999_999), [[299_999.0, 299_998.0]])


def test_lists_go_side_by_side():
    varied = sweep.vary(
        growth(), (lambda m: m.rate, [1.0, 2.0]), (lambda m: m.room[0], [5.0, 7.0], "low"), design=sweep.listed
    )
    assert varied.shape == (2,) and varied.names == ("rate", "low")
    np.testing.assert_array_equal(whole(varied), [[1.0, 5.0], [2.0, 7.0]])


@pytest.mark.parametrize("design", [sweep.sobol(64, 1), sweep.latin_hypercube(64, 1), sweep.sobol(37), sweep.sobol(1)])
def test_sampled_designs_fill_their_bounds_whatever_is_asked_for_first(design):
    entries = (lambda m: m.rate, between(-1.0, 3.0, name="r")), (lambda m: m.room[1], log_between(1e-3, 1e3))
    varied = sweep.vary(growth(), *entries, design=design)
    points = whole(varied)
    assert points.shape == (design.n, 2) and varied.names == ("r", "room[1]")
    parts = [varied.values(k, min(k + 7, design.n)) for k in reversed(range(0, design.n, 7))][::-1]
    np.testing.assert_array_equal(np.concatenate(parts), points)
    unit = np.stack([(points[:, 0] + 1) / 4, (np.log10(points[:, 1]) + 3) / 6], -1)
    assert np.all((unit >= 0) & (unit <= 1))
    if design.n == 64:  # one point in every interval, and more even than chance
        for column in unit.T:
            assert sorted(np.floor(64 * column)) == list(range(64))
        assert qmc.discrepancy(unit) < 0.5 * qmc.discrepancy(np.random.default_rng(0).random((64, 2)))
    other = sweep.vary(growth(), *entries, design=type(design)(design.n, design.seed + 1))
    assert not np.any(whole(other) == points)


def test_more_points_of_a_sobol_sequence_go_on_where_fewer_ended():
    entry = (lambda m: m.rate, between(0.0, 1.0))
    few, many = (whole(sweep.vary(growth(), entry, design=sweep.sobol(n))) for n in (8, 32))
    np.testing.assert_array_equal(many[:8], few)


def test_a_lane_is_a_model_and_only_varied_leaves_differ():
    varied = sweep.vary(growth(), (lambda m: m.room[1], [5.0, 7.0]))
    model = varied.lane(1)
    assert model.room.tolist() == [1.0, 7.0] and model.rate == growth().rate
    assert model.room.dtype == growth().room.dtype and varied.model.room.tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match="from 0 to 1, but 2"):
        varied.lane(2)


values = [1.0, 2.0]
REFUSED = {
    "at least one parameter": lambda: sweep.vary(growth()),
    "must be \\(lambda m: ..., values\\)": lambda: sweep.vary(growth(), (values, values)),
    "not in the model: .*ratio": lambda: sweep.vary(growth(), (lambda m: m.ratio, values)),
    "room: must be a single number": lambda: sweep.vary(growth(), (lambda m: m.room, values)),
    "name: must be a single number": lambda: sweep.vary(growth(), (lambda m: m.name, values)),
    "are the same number": lambda: sweep.vary(growth(), (lambda m: m.room[1], values), (lambda m: m.room[-1], values)),
    "varied once, but a occurs twice": lambda: sweep.vary(
        growth(), (lambda m: m.rate, values, "a"), (lambda m: m.room[0], values, "a")
    ),
    "no blanks or slashes": lambda: sweep.vary(growth(), (lambda m: m.rate, values, "a/b")),
    "rate: the values must be a list": lambda: sweep.vary(growth(), (lambda m: m.rate, [])),
    "rate: the values must be numbers": lambda: sweep.vary(growth(), (lambda m: m.rate, "ab")),
    "own value must be finite, but is nan": lambda: sweep.vary(
        type(growth())(jnp.nan, [1.0, 2.0]), (lambda m: m.rate, values)
    ),
    "a grid or a list needs values": lambda: sweep.vary(growth(), (lambda m: m.rate, between(0, 1))),
    "needs bounds, but has values": lambda: sweep.vary(growth(), (lambda m: m.rate, values), design=sweep.sobol(4)),
    "equally long, but rate has 2, b has 1": lambda: sweep.vary(
        growth(), (lambda m: m.rate, values), (lambda m: m.room[0], [1.0], "b"), design=sweep.listed
    ),
    "finite and in order": lambda: sweep.vary(growth(), (lambda m: m.rate, between(2.0, 1.0)), design=sweep.sobol(4)),
    "must be positive, but the lower is 0": lambda: sweep.vary(
        growth(), (lambda m: m.rate, log_between(0.0, 1.0)), design=sweep.sobol(4)
    ),
    "at least one point, but n is 0": lambda: sweep.sobol(0),
    "up to 1073741824 points": lambda: sweep.sobol(10**12),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(message):
    with pytest.raises(InputError, match=message) as caught:
        REFUSED[message]()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "chunk", "block"),
    [
        ((1_000_000,), 65536, (62500,)),
        ((10, 10, 10, 1000), 65536, (1, 5, 10, 1000)),
        ((7, 3), 4, (1, 3)),
        ((5,), 100, (5,)),
        ((3, 4, 5), 1, (1, 1, 1)),
        ((2, 70_000), 65536, (1, 35_000)),
    ],
)
def test_chunks_are_blocks_of_consecutive_lanes(shape, chunk, block):
    found = layout(shape, chunk)
    assert found.block == block and found.capacity <= chunk
    spans = [found.span(k) for k in range(found.chunks)]
    assert spans[0][0] == 0 and spans[-1][1] == found.lanes
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    if found.lanes < 100:
        lanes = np.arange(found.lanes).reshape(shape)
        for k, span in enumerate(spans):
            np.testing.assert_array_equal(lanes[found.region(k)].ravel(), np.arange(*span))
    with pytest.raises(InputError, match="at least one lane"):
        layout(shape, 0)
