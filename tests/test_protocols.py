"""Protocols: what the command is at every time, where it jumps, and what sentences and tables make."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from jaxmem import protocols as P
from jaxmem.results import InputError


def two_steps():
    return P.step(-80.0, 10.0) + P.step(20.0, 5.0)


# ---- values


def test_a_command_is_right_continuous_holds_before_and_keeps_its_last_value():
    p = two_steps()
    assert_array_equal(p(np.array([-1.0, 0.0, 9.999, 10.0, 14.9, 15.0, 1e6])), [-80, -80, -80, 20, 20, 20, 20])
    assert_array_equal(p.held_at(-60.0)(np.array([-1.0, 0.0])), [-60.0, -80.0])
    assert_array_equal(p.piece([-1.0, 0.0, 10.0, 15.0, 99.0]), [-1, 0, 1, 2, 2])
    assert p.duration == 15.0
    assert p.family is None
    assert p.sweep(0) is p


def test_a_ramp_is_a_line_and_ends_where_it_is_told():
    p = P.ramp(-80.0, 40.0, 60.0)
    assert_allclose(p(np.array([0.0, 15.0, 30.0, 60.0, 61.0])), [-80, -50, -20, 40, 40], atol=1e-13)
    assert_allclose(P.ramp(40.0, -80.0, 60.0)(np.array([15.0])), [10.0], atol=1e-13)


def test_a_sine_is_offset_plus_its_waves_from_its_own_origin():
    p = P.step(-80.0, 100.0) + P.sine(-30.0, [54.0, 26.0], [0.07, 0.19], 50.0, origin=-20.0)
    t = np.linspace(100.0, 149.99, 77)
    expected = -30.0 + 54.0 * np.sin(0.07 * (t - 80.0)) + 26.0 * np.sin(0.19 * (t - 80.0))
    assert_allclose(p(t), expected, atol=1e-12)
    last = -30.0 + 54.0 * np.sin(0.07 * 70.0) + 26.0 * np.sin(0.19 * 70.0)
    assert_allclose(p(np.array([150.0, 200.0])), [last, last], atol=1e-12)
    alone = P.sine(-30.0, [54.0, 26.0], [0.07, 0.19], 50.0, origin=-20.0)
    assert_allclose(alone.holding, alone(np.zeros(1))[0], atol=1e-13)


def test_held_keeps_and_sampled_connects():
    t, v = np.array([0.0, 1.0, 3.0]), np.array([-80.0, 0.0, 40.0])
    at = np.array([0.0, 0.5, 1.0, 2.0, 3.0, 9.0])
    assert_array_equal(P.held(t, v)(at), [-80, -80, 0, 0, 40, 40])
    assert_allclose(P.sampled(t, v)(at), [-80, -40, 0, 20, 40, 40], atol=1e-13)
    assert P.held(t, v).duration == P.sampled(t, v).duration == 3.0


def test_a_time_given_twice_is_a_jump_of_a_sampled_command():
    p = P.sampled([0.0, 1.0, 1.0, 2.0, 2.0], [-80.0, -80.0, 0.0, 40.0, -80.0])
    assert_allclose(p(np.array([0.999, 1.0, 1.5, 1.999999, 2.0, 3.0])), [-80, 0, 20, 39.99996, -80, -80])
    assert_array_equal(p.jumps, [1.0, 2.0])
    first = P.sampled([0.0, 0.0, 1.0], [-80.0, 20.0, 20.0])
    assert_array_equal(first(np.array([-0.1, 0.0])), [-80.0, 20.0])


def test_jumps_are_where_the_voltage_jumps():
    assert_array_equal(two_steps().jumps, [10.0])
    assert_array_equal((P.step(-80.0, 10.0) + P.step(-80.0, 5.0)).jumps, [])
    assert_array_equal((P.step(-80.0, 10.0) + P.ramp(-80.0, 0.1, 5.0) + P.step(0.1, 5.0)).jumps, [])
    assert_array_equal(two_steps().held_at(-90.0).jumps, [0.0, 10.0])
    assert_array_equal(P.held([0.0, 1.0, 2.0, 3.0], [0.0, 5.0, 5.0, 1.0]).jumps, [1.0, 3.0])
    assert_array_equal((P.step(-30.0, 10.0) + P.sine(-30.0, [5.0], [0.1], 10.0)).jumps, [])


def test_joined_lines_do_not_jump_by_rounding():
    # start + (stop - start) is not stop in floating point.
    v = np.random.default_rng(1).normal(size=300) * 40.0
    assert P.sampled(np.arange(300.0), v).jumps.size == 0


def test_constant_pieces_are_those_of_one_voltage():
    p = P.step(-80.0, 1.0) + P.ramp(-80.0, 0.0, 1.0) + P.sine(0.0, [1.0], [1.0], 1.0) + P.step(0.0, 1.0)
    assert_array_equal(p.constant, [True, False, False, True])


# ---- joins, delays, families


def test_joined_is_one_after_another():
    parts = [P.step(-80.0, 10.0), P.ramp(-80.0, 40.0, 20.0), P.sine(0.0, [10.0], [0.3], 30.0)]
    whole = P.joined(parts)
    assert_array_equal(whole.t, [0.0, 10.0, 30.0, 60.0])
    for start, part in zip(whole.t, parts, strict=False):
        inside = np.linspace(0.0, part.duration, 11)[:-1]
        assert_allclose(whole(start + inside), part(inside), atol=1e-12)
    with pytest.raises(InputError, match="at least one command"):
        P.joined([])


def test_a_join_takes_the_holding_of_the_first_and_does_not_mind_sines_or_delays():
    sine, step = P.sine(0.0, [10.0, 3.0], [0.3, 0.7], 5.0), P.step(-80.0, 5.0)
    t = np.linspace(0.0, 9.99, 50)
    assert_allclose((sine + step)(t)[t < 5.0], sine(t[t < 5.0]), atol=1e-13)
    assert float((step.held_at(-90.0) + sine).holding) == -90.0
    assert_allclose((step + sine.delayed(3.0))(t), (step + sine)(t), atol=1e-12)


def test_a_delayed_command_is_the_same_later():
    p = two_steps() + P.sine(0.0, [10.0], [0.3], 5.0)
    t = np.linspace(-2.0, 22.0, 97)
    assert_allclose(p.delayed(0.1)(t + 0.1), p(t), atol=1e-9)
    assert_array_equal(p.delayed(0.1).t, p.t + 0.1)


def test_a_staircase_has_equal_steps():
    p = P.staircase([-80.0, -60.0, 20.0], 7.0)
    assert_array_equal(p.t, [0.0, 7.0, 14.0, 21.0])
    assert_array_equal(p.start, [-80.0, -60.0, 20.0])


def test_a_family_holds_its_commands_whatever_their_length():
    short, long = (
        P.step(-80.0, 1.0),
        P.step(-80.0, 1.0) + P.ramp(0.0, 20.0, 2.0) + P.sine(0.0, [1.0], [1.0], 3.0),
    )
    family = P.sweeps([short, long])
    assert family.family == 2
    assert family.duration == 6.0
    t = np.linspace(-1.0, 8.0, 91)
    for i, command in enumerate((short, long)):
        one = family.sweep(i)
        assert one.family is None
        assert_array_equal(one(t), command(t))
        # Concrete commands stay numpy, so that times keep their digits in single precision too.
        assert all(isinstance(x, np.ndarray) for x in jax.tree.leaves(one))
    made = P.family(lambda v: P.step(-80.0, 10.0) + P.step(v, 5.0), range(-60, 50, 10))
    assert made.family == 11
    assert_array_equal(made.start[:, 1], np.arange(-60.0, 50.0, 10.0))


def test_sampled_commands_of_several_sweeps_are_a_family():
    t, v = np.arange(4.0), np.arange(8.0).reshape(2, 4)
    for make in (P.held, P.sampled):
        family = make(t, v)
        assert family.family == 2
        for i in range(2):
            assert_array_equal(family.sweep(i)(t), v[i])


def test_voltages_may_be_traced():
    t = np.array([0.5, 1.5, 2.5, 3.5])

    def command(x):
        sine = P.sine(x[1], [x[2], 3.0], [0.3, 0.5], 1.0, origin=-2.0)
        family = P.sweeps([P.step(-80.0, 4.0), P.step(-80.0, 1.0) + P.ramp(x[0], x[1], 1.0) + sine])
        return jnp.asarray(family.sweep(1)(t))

    x = jnp.asarray([1.0, 2.0, 3.0])
    jacobian = jax.jacfwd(command)(x)
    held = np.sin(0.3 * 3.0)
    expected = [[0, 0, 0], [0.5, 0.5, 0], [0, 1, np.sin(0.3 * 2.5)], [0, 1, held]]
    assert_allclose(jacobian, expected, atol=1e-6 if jacobian.dtype == jnp.float32 else 1e-14)


# ---- tables


def test_step_tables_round_trip():
    p = P.step(-80.0, 250.0) + P.ramp(-80.0, 40.0, 50.0) + P.step(-120.0, 0.1)
    rows = P.to_table(p)
    assert rows[1] == {"start_ms": 250.0, "duration_ms": 50.0, "v_start_mV": -80.0, "v_end_mV": 40.0}
    again = P.from_table([tuple(row.values()) for row in rows])
    for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(p), strict=True):
        assert_array_equal(a, b)
    assert P.to_table(again) == rows
    assert_array_equal(P.from_table([(0, 10, -80), (10, 5, 20)]).t, two_steps().t)


def test_a_table_may_start_later():
    p = P.from_table([(5.0, 10.0, -80.0), (15.0, 1.0, 20.0)])
    assert_array_equal(p.t, [5.0, 15.0, 16.0])
    assert float(p.holding) == -80.0


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([], "at least one row"),
        ([(0.0, 1.0)], "one or two voltages, but row 1"),
        ([(0.0, 1.0, -80.0), (2.0, 1.0, 0.0)], "Row 2 .* ends \\(1 ms\\), but starts at 2"),
        ([(0.0, 1.0, -80.0), (np.nan, 1.0, 0.0)], "Row 2 .* starts at nan"),
        ([(0.0, -1.0, -80.0)], "must not be negative, but is -1.0 ms"),
        ([(0.0, 1.0, np.nan)], "must be finite"),
        ([(np.inf, 1.0, 0.0)], "must be finite"),
    ],
)
def test_bad_tables_say_why(rows, match):
    with pytest.raises(InputError, match=match):
        P.from_table(rows)


def test_what_a_table_cannot_hold():
    with pytest.raises(InputError, match="cannot hold sines"):
        P.to_table(P.sine(0.0, [1.0], [1.0], 1.0))
    with pytest.raises(InputError, match="single command"):
        P.to_table(P.sweeps([two_steps(), two_steps()]))


# ---- errors


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: P.step(0.0, -1.0), "must not be negative, but is -1.0 ms"),
        (lambda: P.step(0.0, np.nan), "must not be negative, but is nan"),
        (lambda: P.step(0.0, np.inf), "times of a protocol must be finite"),
        (lambda: P.step(np.nan, 1.0), "command voltage must be finite, but `start`"),
        (lambda: P.ramp(0.0, np.inf, 1.0), "`stop`"),
        (lambda: P.sine(0.0, [np.nan], [1.0], 1.0), "`amplitude`"),
        (lambda: P.sine(0.0, [1.0], [1.0, 2.0], 1.0), "there are 1 and 2"),
        (lambda: P.step(0.0, 1.0).held_at(np.nan) + P.step(0.0, 1.0), "`holding`"),
        (lambda: P.held([0.0], [0.0]), "at least two times"),
        (lambda: P.held([0.0, 1.0], [0.0, 1.0, 2.0]), r"t has shape \(2,\) and v \(3,\)"),
        (lambda: P.held([0.0, 1.0, 1.0], [0.0, 1.0, 2.0]), "must increase"),
        (lambda: P.sampled([0.0, 2.0, 1.0], [0.0, 1.0, 2.0]), "must not decrease"),
        (lambda: P.sampled([0.0, np.nan], [0.0, 1.0]), "times of a protocol must be finite"),
        (lambda: P.held([0.0, 1.0], [0.0, np.nan]), "voltage must be finite"),
        (lambda: P.sweeps([]), "at least one command"),
        (lambda: P.sweeps([P.sweeps([two_steps()])]), "single commands"),
        (lambda: P.sweeps([two_steps()]) + two_steps(), "join first"),
        (lambda: P.sweeps([two_steps()])(np.zeros(1)), "pick one by"),
        (lambda: P.staircase([], 1.0), "at least one command"),
    ],
)
def test_bad_commands_say_why(make, match):
    with pytest.raises(InputError, match=match) as caught:
        make()
    assert "\n" not in str(caught.value)


# ---- sentences


def same(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert_allclose(x, y, atol=1e-12)


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        (["hold at -80 mV for 100 ms"], lambda: P.step(-80.0, 100.0)),
        (["step to .04 V for 1.5 s"], lambda: P.step(40.0, 1500.0)),
        (["go to +2e1 mV for 500 us"], lambda: P.step(20.0, 0.5)),
        (["hold 0 mV for 1 min"], lambda: P.step(0.0, 60000.0)),
        (["HOLD AT -80 mv FOR 100 MS"], lambda: P.step(-80.0, 100.0)),
        (["ramp from -80 to 40 mV over 50 ms"], lambda: P.ramp(-80.0, 40.0, 50.0)),
        (["ramp from -80 mV to 0.04 V in 50 ms"], lambda: P.ramp(-80.0, 40.0, 50.0)),
        (
            ["hold at -80 mV for 10 ms", "ramp to 40 mV for 50 ms"],
            lambda: P.step(-80.0, 10.0) + P.ramp(-80.0, 40.0, 50.0),
        ),
        (
            ["sine of 20 mV at 10 Hz around -40 mV for 2 s"],
            lambda: P.sine(-40.0, [20.0], [0.02 * np.pi], 2000.0),
        ),
        (["sine of 20 mV at 1 kHz around -40 mV for 2 ms"], lambda: P.sine(-40.0, [20.0], [2 * np.pi], 2.0)),
        (
            ["hold at -80 mV for 10 ms, step to 20 mV for 5 ms; hold at -80 mV for 1 ms Then step to 0 mV for 1 ms"],
            lambda: two_steps() + P.step(-80.0, 1.0) + P.step(0.0, 1.0),
        ),
    ],
)
def test_sentences(sentences, expected):
    same(P.parse(*sentences), expected())


def test_a_family_of_steps_is_a_family_of_sweeps():
    p = P.parse(
        "hold at -80 mV for 10 ms, hold at -70 mV for 1 ms",
        "step from -60 to 40 mV in 10 mV steps for 500 ms",
    )
    same(p, P.family(lambda v: P.step(-80.0, 10.0) + P.step(-70.0, 1.0) + P.step(v, 500.0), range(-60, 50, 10)))
    down = P.parse(
        "steps from 40 mV to -40 mV in 0.02 V steps for 1 s; ramp to -120 mV over 5 ms, hold at 0 mV for 1 ms"
    )
    make = lambda v: P.step(v, 1000.0) + P.ramp(v, -120.0, 5.0) + P.step(0.0, 1.0)
    same(down, P.family(make, [40.0, 20.0, 0.0, -20.0, -40.0]))
    assert_allclose(P.parse("step from 0 to 1 mV in 0.1 mV steps for 1 ms").start[:, 0], np.arange(11) / 10, atol=1e-12)
    assert_array_equal(P.parse("step from 5 to 5 mV in 1 mV steps for 1 ms").start, [[5.0]])
    assert_array_equal(P.parse("step from 0 to 25 mV in 10 mV steps for 1 ms").start[:, 0], [0.0, 10.0, 20.0])


def test_a_ramp_starts_where_the_command_is():
    p = P.parse("sine of 20 mV at 10 Hz around -40 mV for 30 ms, ramp to 0 mV over 10 ms")
    assert_allclose(p.start[1], -40.0 + 20.0 * np.sin(0.02 * np.pi * 30.0), atol=1e-12)
    assert p.jumps.size == 0


@pytest.mark.parametrize(
    ("sentences", "match"),
    [
        ([], "at least one sentence"),
        ([" , ;"], "at least one sentence"),
        (
            ["hold at -80 for 10 ms"],
            "must be one of 'hold at -80 mV for 100 ms'.*but is 'hold at -80 for 10 ms'",
        ),
        (["jump to -80 mV for 10 ms"], "but is 'jump to"),
        (["hold at -80 mV for 10 kg"], "but is 'hold"),
        (["hold at --80 mV for 10 ms"], "but is 'hold"),
        (["ramp to 20 mV over 5 ms"], "must say where it starts"),
        (["step from 0 to 20 mV in 0 mV steps for 5 ms"], "must not be zero"),
        (["step from 0 to 20 mV in 1e-9 mV steps for 5 ms"], "up to 10000 steps"),
        (["step from 0 to 1e999 mV in 1 mV steps for 5 ms"], "finite voltages"),
        (["step from 0 to 20 mV in 5 mV steps for 5 ms"] * 2, "one family of steps"),
        (["hold at -80 mV for -10 ms"], "must not be negative"),
        (["hold at 1e999 mV for 10 ms"], "must be finite"),
    ],
)
def test_bad_sentences_say_why(sentences, match):
    with pytest.raises(InputError, match=match) as caught:
        P.parse(*sentences)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="stephold ramin0123456789.-+emVkHz,;\n", max_size=60))
def test_any_text_is_a_command_or_an_input_error(text):
    try:
        command = P.parse(text)
    except InputError:
        return
    assert isinstance(command, P.Protocol)


@given(
    st.lists(st.tuples(st.floats(-150, 100), st.floats(0.01, 500)), min_size=1, max_size=6),
    st.floats(0.0, 1.0, exclude_max=True),
)
def test_every_time_inside_a_staircase_has_its_step(steps, share):
    p = P.joined([P.step(v, duration) for v, duration in steps])
    for k, (v, _) in enumerate(steps):
        time = p.t[k] + share * (p.t[k + 1] - p.t[k])
        if time < p.t[k + 1]:
            assert p(np.array([time]))[0] == v


def test_sentences_may_be_about_currents():
    p = P.parse("hold at 0 pA for 5 ms, ramp to 1 nA over 10 ms", unit="pA")
    assert_array_equal(p.stop, [0.0, 1000.0])
    assert_array_equal(P.parse("step to 10 uA/cm2 for 5 ms", unit="uA/cm2").start, [10.0])
    assert_array_equal(P.parse("hold at 2 uS for 3 s", unit="nS").start, [2000.0])
    with pytest.raises(InputError, match=r"must be one of 'hold at -80 pA for 100 ms'.*but is 'hold at 3 mV for 5 ms'"):
        P.parse("hold at 3 mV for 5 ms", unit="pA")
