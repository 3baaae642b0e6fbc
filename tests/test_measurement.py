"""Steady measurements: points in memory, and points in tables."""

import functools

import jax
import numpy as np
import pytest
from test_readers_fuzz import feed, mutants

from jaxmem import permeation
from jaxmem.electrochemistry import Bath, Ca, K, Na, Species
from jaxmem.recordings import Measurement, read_measurement, reversal
from jaxmem.results import InputError

V, C = [-80.0, 0.0, 40.0], [2.0, 10.0, 50.0]


def bath():
    return Bath({K: 130.0}, {K: C, Na: 4.0}, 293.15)


def measurement(**changes):
    return Measurement(**{"v": V, "bath": bath(), "value": [1.0, 2.0, 4.0], "error": 0.1, "name": "steps", **changes})


def test_what_is_given_once_holds_at_every_point():
    m = measurement(v=-80.0)
    assert m.v.tolist() == [-80.0] * 3 and m.error.tolist() == [0.1] * 3
    assert m.bath.inside.c.tolist() == [[130.0]] * 3
    assert m.bath.outside.c.tolist() == [[2.0, 4.0], [10.0, 4.0], [50.0, 4.0]]
    assert np.allclose(m.bath.temperature, [293.15] * 3, rtol=1e-6)
    assert (m.points, m.range, m.unit, m.reading) == (3, 3.0, "pA", permeation.current)
    rows = jax.vmap(lambda bath: bath[K][1])(m.bath)
    assert np.allclose(rows, C)
    assert "3 points, pA, K, Na" in repr(m)


def test_a_temperature_is_enough_where_no_concentration_is_needed():
    m = measurement(bath=300.0)
    assert m.bath.species == () and m.bath.inside.c.shape == (3, 0) and m.bath.temperature.shape == (3,)


def test_nothing_is_changed_in_place():
    value = np.array([1.0, 2.0, 4.0])
    m = measurement(value=value)
    value[0] = 9.0
    assert m.value[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        m.bath.temperature[0] = 1.0


def test_the_point_that_others_are_relative_to_is_counted_from_the_start():
    assert measurement(normalized=-1).normalized == 2
    assert measurement(series=["a", "a", 7]).series == ("a", "a", "7")


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"value": [[1.0, 2.0]]}, "one row of at least 1 point"),
        ({"value": []}, "one row of at least 1 point"),
        ({"value": ["a", "b"]}, "array of numbers"),
        ({"value": [1.0, np.nan, 2.0]}, "value must be finite, but at point 1 is nan"),
        ({"v": [1.0, 2.0]}, "voltage must be one number, or one for each of 3 points"),
        ({"v": [0.0, np.inf, 0.0]}, "voltage must be finite"),
        ({"error": [0.1, 0.0, 0.1]}, "error must be positive, but at point 1 is 0"),
        ({"error": np.nan}, "error must be finite"),
        ({"bath": Bath({K: -1.0}, {K: 1.0}, 293.0)}, "concentration of K inside must be finite and not negative"),
        ({"bath": Bath({K: 1.0}, {K: [1.0, 1.0]}, 293.0)}, "concentration of K outside must be one number"),
        ({"bath": Bath({}, {}, [293.0, 0.0, 293.0])}, "temperature must be positive"),
        ({"bath": "warm"}, "must be a Bath"),
        ({"unit": "pS"}, "multiply them by 0.001"),
        ({"unit": "parsec"}, "Unit must be one of"),
        ({"series": ["a"]}, "a label for each of 3 points"),
        ({"normalized": 3}, "index of one of 3 points"),
        ({"normalized": True}, "index of one of 3 points"),
        ({"reading": "current"}, "must be a function"),
    ],
)
def test_refusals_say_why_in_one_line(changes, words):
    with pytest.raises(InputError, match=words) as caught:
        measurement(**changes)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("steps: ")


# ---- tables

TABLE = """# measured in 2 and 10 mM
series,voltage [mV],Ca_in [uM],Ca_out [mM],temperature [C],chord conductance [pS],sem [nS],reversal [mV],n
"a, 2, 3, b",-80,0.1,2,22,5,0.0001,10,4
low,-40,0.1,10,21,5.5,0.0002,10,5
"""


def read(tmp_path, text, **settings):
    (tmp_path / "points.csv").write_text(text)
    return read_measurement(tmp_path / "points.csv", **settings)


def test_a_table_says_what_was_measured_where(tmp_path):
    m = read(tmp_path, TABLE)
    assert (m.name, m.unit, m.source) == ("points", "nS", str(tmp_path / "points.csv"))
    assert m.series == ("a, 2, 3, b", "low")
    assert np.allclose(m.v, [-80.0, -40.0]) and np.allclose(m.value, [0.005, 0.0055])
    assert np.allclose(m.error, [1e-4, 2e-4])
    assert np.allclose(m.bath[Ca], [[1e-4, 1e-4], [2.0, 10.0]])
    assert np.allclose(m.bath.temperature, [295.15, 294.15])
    assert isinstance(m.reading, functools.partial) and m.reading.keywords == {"reversal": 10.0}
    assert m.reading.func is permeation.chord_conductance


@pytest.mark.parametrize(
    "value, reading, unit, stored",
    [
        ("current_nA", permeation.current, "pA", 2000.0),
        ("I [uA/cm2]", permeation.current, "uA/cm2", 2.0),
        ("conductance (pS)", permeation.conductance, "nS", 0.002),
        ("chord conductance [nS]", permeation.chord_conductance, "nS", 2.0),
        ("reversal potential [V]", reversal, "mV", 2000.0),
    ],
)
def test_each_kind_of_value_is_stored_in_its_own_unit(tmp_path, value, reading, unit, stored):
    m = read(tmp_path, f"V_mV\tK_out_mM\t{value}\terror\n-20\t5\t2\t1\n", temperature=300.0)
    assert (m.reading, m.unit) == (reading, unit)
    assert np.isclose(m.value[0], stored) and np.isclose(m.error[0], 0.5 * stored)


def test_what_a_table_does_not_list_is_given(tmp_path):
    given = Bath({K: 130.0, Na: 10.0}, {K: 1.0}, 310.0)
    m = read(tmp_path, "K_o [mM],I [pA]\n5,1\n50,2\n", bath=given, voltage=-60.0, name="mine")
    assert m.v.tolist() == [-60.0, -60.0] and m.bath.temperature.tolist() == [310.0, 310.0] and m.name == "mine"
    assert m.bath[K][1].tolist() == [5.0, 50.0] and m.bath[Na][0].tolist() == [10.0, 10.0]
    assert read(tmp_path, "I [pA]\n1\n2\n", bath=given, voltage=0, temperature=290.0).bath.temperature[0] == 290.0
    choline = Species("choline", 1)
    m = read(tmp_path, "v_mV;choline_in_mM;T_C;I_pA\n0;20;21;1\n1;30;21;1\n", species=[choline])
    assert m.bath[choline][0].tolist() == [20.0, 30.0] and np.isclose(m.bath.temperature[1], 294.15)
    m = read(tmp_path, "v_mV,current,error\n0,1,0.1\n1,0.5,0.2\n", temperature=300.0, normalized=0)
    assert (m.unit, m.normalized) == ("1", 0)
    m = read(tmp_path, "Na_out [mM],reversal potential [mV]\n20,5\n", temperature=300.0)
    assert m.reading is reversal


@pytest.mark.parametrize(
    "text, words",
    [
        ("v_mV,K_in_mM\n1,2\n", "one column of values"),
        ("v_mV,I_pA,g_nS\n1,2,3\n", "one column of values"),
        ("I_pA\n1\n", "has no voltages; add a column"),
        ("v,I_pA\n1,2\n", "column 'v' must name a unit like .mV., but says none"),
        ("v_mV,current\n1,2\n", "column 'current' must name a unit"),
        ("v_mV,current [nS]\n1,2\n", "must name a unit like .pA., but is in 'nS'"),
        ("v_mV,I_pA,error [mV]\n1,2,3\n", "column 'error .mV.' must name a unit like .pA."),
        ("v_mV,I_pA,K [mM]\n1,2,3\n", "must say on which side the ion is"),
        ("v_mV,I_pA,Xy_in [mM]\n1,2,3\n", "must name a known ion .*'Xy'; .*species="),
        ("v_mV,I_pA,K_in [mM],K_i_mM\n1,2,3,4\n", "hold the same"),
        ("v_mV,I_pA,K_in [mM]\n1,2,3\n1,2,-3\n", "line 3, column 'K_in .mM.' must not be negative, but is -3"),
        ("v_mV,I_pA,error\n# comment\n1,2,0\n", "line 3, column 'error' must be positive, but is 0"),
        ("v_mV,I_pA\n1,2\n1,nan\n", "line 3, column 'I_pA' must be a finite number"),
        ("v_mV,I_pA\n1,2\n1,1e300\n", "no measurement"),
        ("v_mV,I_pA,series\n1,2,a\n1,2\n", "line 3 has 2 cells"),
        ("v_mV,I_pA,T_K\n1,2,0\n", "must be positive"),
        ("v_mV,I_pA,T_ms\n1,2,0\n", "must name a unit like .K."),
        ("v_mV,chord_nS,reversal_mV\n1,2,0\n1,2,5\n", "must have one reversal potential"),
        ("1,2\n3,4\n", "must name the columns"),
    ],
)
def test_bad_tables_are_refused_with_the_row_and_the_column(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, text, temperature=300.0)
    assert "\n" not in str(caught.value) and "points.csv" in str(caught.value)


def test_a_quote_that_is_not_closed_joins_no_lines(tmp_path):
    text = 'series,v_mV,I_pA\n"a,1,2\nb,3,4\nc",5,6\n'
    with pytest.raises(InputError, match="line 2 has 1 cells"):
        read(tmp_path, text, temperature=300.0)


def test_what_is_missing_or_contradicts_is_said(tmp_path):
    with pytest.raises(InputError, match="has no temperatures"):
        read(tmp_path, "v_mV,I_pA\n1,2\n")
    with pytest.raises(InputError, match="is for chord conductances"):
        read(tmp_path, "v_mV,I_pA\n1,2\n", temperature=300.0, reversal=0.0)
    with pytest.raises(InputError, match="and 1 mV is given"):
        read(tmp_path, "v_mV,chord_nS,reversal_mV\n1,2,0\n", temperature=300.0, reversal=1.0)
    with pytest.raises(InputError, match="no such file"):
        read_measurement(tmp_path / "none.csv")


def test_damaged_tables_are_read_or_refused_in_one_line(tmp_path):
    rows = [f'"s{k % 3}",{-80 + 10 * k},{0.1 * k:.2f},{5 + k},22,{np.sin(k):.5f},0.1' for k in range(30)]
    header = "series,voltage [mV],Ca_in [uM],Ca_out [mM],temperature [C],current [pA],sem [pA]"
    seed = ("# a comment\n" + header + "\n" + "\n".join(rows) + "\n").encode()

    def one(path):
        found = read_measurement(path)
        assert isinstance(found, Measurement) and np.isfinite(found.value).all()
        assert found.error is None or (found.error > 0).all()
        assert (found.bath.outside.c >= 0).all() and (found.bath.temperature > 0).all()

    good, bad = feed(tmp_path, "a.csv", mutants(seed, 400, 5, 110), one)
    assert good > 20 and bad > 100
