"""Recordings: what the constructor refuses, and what the methods do to times, commands and currents."""

import numpy as np
import pytest

from jaxmem import protocols
from jaxmem.recordings import Recording, analysis, jump_samples, stack
from jaxmem.results import InputError


def steps(dt=0.1, sweeps=3) -> Recording:
    """-80 mV, a test pulse from 20 to 60 ms; the current is a leak of 2 nS that reverses at -10 mV."""
    t = np.arange(0, 100, dt)
    test = np.array([-40.0, 0.0, 40.0])[:sweeps, None]
    v = np.where((t >= 20 - 1e-9) & (t < 60 - 1e-9), test, -80.0)
    return Recording(t, 2.0 * (v + 10.0), v, name="steps")


class TestConstructor:
    def test_one_sweep_becomes_a_row(self):
        r = Recording([0.0, 1.0], [1.0, 2.0], [-80.0, -80.0])
        assert r.current.shape == r.command_v.shape == r.mask.shape == (1, 2)
        assert r.command.family == 1

    def test_it_cannot_be_changed(self):
        r = steps()
        for value in (r.t, r.current, r.mask, r.command_v):
            with pytest.raises(ValueError, match="read-only"):
                value[0] = 0
        with pytest.raises(AttributeError):
            r.t = None

    def test_the_callers_arrays_are_copied(self):
        i = np.zeros(3)
        r = Recording(np.arange(3.0), i, np.zeros(3))
        i[0] = 9.0
        assert r.current[0, 0] == 0.0

    def test_a_command_may_be_a_protocol(self):
        t = np.arange(0, 30, 0.1)
        command = protocols.step(-80.0, 10) + protocols.ramp(-80.0, 20.0, 20)
        r = Recording(t, np.zeros((2, t.size)), command)
        np.testing.assert_allclose(r.command_v, np.broadcast_to(command(t), (2, t.size)))

    def test_samples_of_a_command_come_back_exactly(self):
        rng = np.random.default_rng(0)
        v = np.repeat(rng.normal(size=(4, 20)), rng.integers(1, 5), axis=1)
        t = np.cumsum(rng.uniform(0.01, 1.0, v.shape[1]))
        np.testing.assert_array_equal(Recording(t, v, v).command_v, v)

    def test_steps_become_few_pieces(self):
        assert steps().command.start.shape == (3, 4)  # hold, test, hold and what is kept after the end

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"current": [0.0, np.nan, 0.0]}, "sample 1"),
            ({"current": [0.0, 0.0, np.inf]}, "sample 2"),
            ({"command": [0.0, np.nan, 0.0]}, "command sample"),
            ({"t": [0.0, 1.0, 1.0]}, "increase"),
            ({"t": [0.0, 2.0, 1.0]}, "increase"),
            ({"t": [0.0, np.nan, 1.0]}, "time sample"),
            ({"current": [0.0, 0.0]}, "sweeps, 3"),
            ({"command": [0.0, 0.0]}, "command must have shape"),
            ({"mask": [True, True]}, "mask must have shape"),
            ({"mask": [1.0, 1.0, 0.0]}, "boolean"),
            ({"t": [0.0], "current": [0.0], "command": [0.0]}, "2 samples"),
            ({"current": "abc"}, "numbers"),
            ({"current": np.zeros((0, 3))}, "sweeps, 3"),
        ],
    )
    def test_bad_values_are_one_line(self, change, words):
        given = {"t": [0.0, 1.0, 2.0], "current": [0.0, 0.0, 0.0], "command": [0.0, 0.0, 0.0], **change}
        with pytest.raises(InputError, match=words) as error:
            Recording(**given, source="cell.csv")
        assert "\n" not in str(error.value) and "cell.csv" in str(error.value)

    def test_a_family_of_another_size_is_refused(self):
        command = protocols.sweeps([protocols.step(v, 3.0) for v in (0.0, 1.0)])
        with pytest.raises(InputError, match="has 2"):
            Recording(np.arange(3.0), np.zeros((3, 3)), command)


class TestMask:
    def test_blank_leaves_out_the_samples_after_each_jump(self):
        r = steps().blank(after=5.0)
        for row in r.mask:
            np.testing.assert_array_equal(np.flatnonzero(~row), [*range(200, 250), *range(600, 650)])

    def test_blank_before(self):
        r = steps(sweeps=1).blank(after=0.2, before=0.3)
        np.testing.assert_array_equal(np.flatnonzero(~r.mask[0]), [*range(197, 202), *range(597, 602)])

    def test_blank_at_given_times(self):
        r = steps(sweeps=1).blank(after=1.0, times=[10.0])
        np.testing.assert_array_equal(np.flatnonzero(~r.mask[0]), range(100, 110))

    def test_blanking_twice_keeps_both(self):
        r = steps(sweeps=1).blank(1.0).blank(1.0, times=[0.0])
        assert np.count_nonzero(~r.mask) == 30

    def test_only(self):
        r = steps().only(20.0, 60.0)
        np.testing.assert_array_equal(r.mask.sum(axis=1), 400)
        assert r.t.size == 1000

    def test_range_counts_used_samples(self):
        r = steps()
        assert r.range == pytest.approx(2.0 * 120.0)
        assert r.only(0.0, 20.0).range == 0.0
        with pytest.raises(InputError, match="no sample"):
            r.only(0.0, 1.0).only(2.0, 3.0).range  # noqa: B018


class TestJumps:
    t = np.arange(0, 500, 0.1)

    def test_a_sampled_sine_wave_is_no_jump(self):
        v = -30 + 54 * np.sin(0.007 * self.t) + 26 * np.sin(0.037 * self.t) + 10 * np.sin(0.190 * self.t)
        assert jump_samples(v).size == 0
        v[3000:] = -120.0
        np.testing.assert_array_equal(jump_samples(v), [3000])

    @pytest.mark.parametrize("slope", [0.01, 0.5, 5.0, 50.0])
    def test_a_ramp_is_no_jump(self, slope):
        v = np.where(
            self.t < 100, -100.0, np.where(self.t < 110, -100 + slope * (self.t - 100), -100 + 10 * slope)
        )
        assert jump_samples(v).size == 0

    def test_two_steps_one_sample_apart(self):
        v = np.zeros(100)
        v[40], v[41:] = -5.0, -10.0
        np.testing.assert_array_equal(jump_samples(v), [40, 41])

    def test_small_steps_need_a_small_threshold(self):
        v = np.where(np.arange(50) < 20, 0.0, 0.2)
        assert jump_samples(v).size == 0
        np.testing.assert_array_equal(jump_samples(v, 0.1), [20])

    @pytest.mark.parametrize(
        "name",
        ["sine_wave", "steady_activation", "inactivation", "deactivation", "activation_kinetics_1"],
    )
    def test_published_step_times(self, name, shared):
        folder = shared / "data" / "beattie_2018_herg" / "protocols"
        with np.load(folder / f"{name}_command_mV.npz") as file:
            v, dt = file["voltage_mV"].astype(float), float(file["dt_ms"])
        starts = np.genfromtxt(folder / f"{name}_steps.csv", delimiter=",", skip_header=1)[1:, 0]
        np.testing.assert_allclose(jump_samples(v) * dt, starts, atol=1e-6)


class TestCommand:
    def test_delay_shifts_by_a_sample_and_holds_the_first(self):
        r = steps()
        late = r.delay(1)
        np.testing.assert_array_equal(late.command_v[:, 1:], r.command_v[:, :-1])
        np.testing.assert_array_equal(late.command_v[:, 0], r.command_v[:, 0])
        np.testing.assert_array_equal(late.current, r.current)
        np.testing.assert_array_equal(r.delay(3).delay(-3).command_v[:, 5:-5], r.command_v[:, 5:-5])

    def test_offset(self):
        np.testing.assert_allclose(steps().offset_command(-4.1).command_v, steps().command_v - 4.1)


    def test_analytic_commands_stay_analytic(self):
        t = np.arange(0, 30, 0.25)
        p = protocols.step(-80.0, 5.1) + protocols.ramp(-80.0, 20.0, 9.0) + protocols.sine(-30.0, [20.0], [0.7], 20.0)
        r = Recording(t, np.zeros(t.size), p.held_at(-90.0))
        fine = np.linspace(0.0, 29.0, 1001)
        late = r.delay(3).command.sweep(0)
        np.testing.assert_allclose(late(fine), p.held_at(-90.0)(fine - 0.75), atol=1e-9)
        moved = r.offset_command(-4.0).command.sweep(0)
        np.testing.assert_allclose(moved(fine), p(fine) - 4.0, atol=1e-12)
        assert float(moved.holding) == -94.0 and float(late.holding) == -90.0
        both = stack([r, r.offset_command(5.0)]).command
        np.testing.assert_allclose(both.sweep(1)(fine), p(fine) + 5.0, atol=1e-12)
        whole = stack([r, r.offset_command(5.0)]).join()
        np.testing.assert_allclose(whole.command.sweep(0)(fine + 30.0), p(fine) + 5.0, atol=1e-9)
        again = whole.split([0.0, 30.0], 30.0)
        np.testing.assert_allclose(again.command.sweep(1)(fine), p(fine) + 5.0, atol=1e-9)
        np.testing.assert_allclose(again.command_v, [p(t), p(t) + 5.0], atol=1e-9)

    def test_an_edge_that_rounding_moves_is_at_its_sample(self):
        t = np.arange(0, 10, 0.1)
        steps_at = protocols.joined([protocols.step(float(k), 0.1) for k in range(100)])  # edges are sums of 0.1
        np.testing.assert_array_equal(Recording(t, np.zeros(t.size), steps_at).command_v[0], np.arange(100.0))

    def test_before_its_start_a_command_is_at_its_holding_voltage(self):
        t = np.arange(0, 10, 0.5)
        r = Recording(t, np.zeros((2, t.size)), protocols.step(20.0, 5.0).delayed(3.0).held_at(-80.0))
        np.testing.assert_array_equal(r.command_v, np.where(t < 3.0, -80.0, 20.0)[None].repeat(2, 0))
        assert np.all(r.command.t[:, 0] == 0.0)
        np.testing.assert_array_equal(r.held_at(-70.0).command.holding, [-70.0, -70.0])


class TestSignal:
    def test_baseline(self):
        r = steps().baseline((0.0, 20.0))
        np.testing.assert_allclose(r.current[:, :200], 0.0, atol=1e-12)
        np.testing.assert_allclose(r.current[2, 300], 2.0 * 120.0)

    def test_baseline_uses_used_samples(self):
        current = np.zeros(1000)
        current[50:100] = 1e6
        t = np.arange(1000) * 0.1
        mask = np.ones(1000, bool)
        mask[50:100] = False
        r = Recording(t, current, np.zeros(1000), mask).baseline((0.0, 20.0))
        assert r.current[0, 0] == 0.0
        with pytest.raises(InputError, match="baseline window"):
            r.baseline((5.0, 9.0))

    def test_leak_by_number_by_fit_and_by_recording(self):
        r = steps()
        for leak in (
            r.subtract_leak(2.0, -10.0),
            r.subtract_leak(np.full(3, 2.0), -10.0),
            r.subtract_leak(r),
        ):
            np.testing.assert_allclose(leak.current, 0.0, atol=1e-12)
        fitted = analysis.leak_fit(r, (0.0, 60.0))
        np.testing.assert_allclose(r.subtract_leak(fitted).current, 0.0, atol=1e-9)

    def test_bad_leaks(self):
        r = steps()
        with pytest.raises(InputError, match="reversal"):
            r.subtract_leak(2.0)
        with pytest.raises(InputError, match="one per sweep"):
            r.subtract_leak([1.0, 2.0], 0.0)
        with pytest.raises(InputError, match="same times"):
            r.subtract_leak(r.window(0.0, 50.0))
        with pytest.raises(InputError, match="same times"):
            r.subtract_leak(r.select([0, 1]))

    def test_density(self):
        r = steps().density(20.0)
        assert r.unit == "pA/pF"
        np.testing.assert_allclose(r.current * 20.0, steps().current)
        with pytest.raises(InputError, match="pA/pF"):
            r.density(20.0)
        with pytest.raises(InputError, match="positive"):
            steps().density(0.0)


class TestShape:
    def test_window_keeps_times(self):
        r = steps().window(20.0, 60.0)
        assert (r.t[0], r.t.size) == (pytest.approx(20.0), 400)
        np.testing.assert_array_equal(r.command_v, steps().command_v[:, 200:600])
        with pytest.raises(InputError, match="spans 0"):
            steps().window(200.0, 300.0)

    def test_sweep_and_select(self):
        r = steps()
        np.testing.assert_array_equal(r.sweep(-1).current[0], r.current[2])
        np.testing.assert_array_equal(r.select([2, 0]).command_v, r.command_v[[2, 0]])
        np.testing.assert_array_equal(r.select(slice(1, None)).current, r.current[1:])
        for bad in (lambda: r.sweep(3), lambda: r.select([]), lambda: r.select([5])):
            with pytest.raises(InputError, match="there are 3"):
                bad()

    def test_join_and_split_are_inverse(self):
        r = steps().blank()
        whole = r.join()
        assert whole.sweeps == 1 and whole.t.size == 3000
        again = whole.split([0.0, 100.0, 200.0], 100.0)
        np.testing.assert_allclose(again.t, r.t, atol=1e-9)
        np.testing.assert_array_equal(again.current, r.current)
        np.testing.assert_array_equal(again.command_v, r.command_v)
        np.testing.assert_array_equal(again.mask, r.mask)

    def test_bad_splits(self):
        whole = steps().join()
        for starts, duration in (([250.0], 100.0), ([], 10.0), ([0.0], 0.0), ([290.0], 20.0), ([-5.0], 20.0)):
            with pytest.raises(InputError):
                whole.split(starts, duration)
        with pytest.raises(InputError, match="single trace"):
            steps().split([0.0], 10.0)

    def test_stack(self):
        r = steps()
        both = stack([r.sweep(0), r.select([1, 2])])
        np.testing.assert_array_equal(both.current, r.current)
        np.testing.assert_array_equal(both.command_v, r.command_v)
        with pytest.raises(InputError, match="share"):
            stack([r, r.window(0, 50)])
        with pytest.raises(InputError, match="at least one"):
            stack([])

    def test_repr_is_one_line(self):
        assert repr(steps()) == "Recording('steps', 3 x 1000 samples, 0 to 99.9 ms, pA, 100 % used)"
