"""Units: the scales fit together without factors, and text is read as what it says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxmem import units


def test_constants_are_the_exact_ones_of_the_si():
    assert units.R == pytest.approx(8.31446261815324, rel=1e-15)
    assert units.F == pytest.approx(96485.33212331, rel=1e-13)
    assert units.thermal_voltage(298.15) == pytest.approx(25.692579121085846, rel=1e-14)


def test_the_scales_of_a_cell_carry_no_factors():
    assert units.nS * units.mV == units.pA
    assert units.pF * units.mV / units.ms == units.pA
    assert units.mM * units.pL == units.fmol
    assert units.mS * units.V == pytest.approx(units.mA)


def test_where_two_scales_meet():
    mole = 1e-3 * 1e-24  # 1 mM nm3 in mol
    assert units.PORE_CURRENT == pytest.approx(mole * units.F / 1e-9 * 1e12, rel=1e-12)  # C/ns in pA
    assert units.E0_PER_MS == pytest.approx(units.E0 / 1e-3 * 1e12, rel=1e-12)
    assert units.UM3 == pytest.approx(1e-15 / 1e-12, rel=1e-12)  # liters
    assert units.MS_PER_CM2 == pytest.approx(1e6 / 1e8, rel=1e-12)  # nS over um2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10 nS", 10.0),
        ("0.15 uS", 150.0),
        ("-80 mV", -80.0),
        ("+1.5e-2 V", 15.0),
        (".5 s", 500.0),
        ("3. ms", 3.0),
        ("8 s", 8000.0),
        ("2 1/s", 2e-3),
        ("1 1/(mM ms)", 1.0),
        ("1 1/(M s)", 1e-6),
        ("1 1/(M*s)", 1e-6),
        ("1 1/M/s", 1e-6),
        ("7", 7.0),
        (7, 7.0),
        (0.25, 0.25),
        ("25 C", 298.15),
        ("25 °C", 298.15),
        ("310 K", 310.0),
        ("5 µM", 5e-3),
        ("5 μM", 5e-3),
        ("2 MΩ", 2e-3),
        ("2 M\N{OHM SIGN}", 2e-3),
        ("36 mS/cm²", 36.0),
        ("36 mS/cm^2", 36.0),
        ("50 %", 0.5),
        ("4 kT", 4.0),
        ("1 um3", 1e-3),
    ],
)
def test_parse(text, value):
    assert units.parse(text) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("text", ["", "mV", "ten mV", "1e999 mV", "nan", "inf mV", "--1 mV", True])
def test_parse_refuses_what_is_no_quantity(text):
    with pytest.raises(
        ValueError, match=r"^A quantity must be a number and a unit such as '10 mV', but is '"
    ):
        units.parse(text)


@pytest.mark.parametrize("unit", ["furlong", "mVV", "m V", "ms/cm2", ",5 mV", "2 mV"])
def test_unknown_units_are_named(unit):
    with pytest.raises(ValueError, match=f"^Unit must be one of jaxmem's, but is '{unit}'; known: "):
        units.factor(unit)
    with pytest.raises(ValueError, match="Unit must be one of"):
        units.parse(f"1 {unit}")


def test_dimension():
    assert units.dimension("uS") == "conductance"
    assert units.dimension("1/s") == "1/time"
    assert units.dimension("mS/cm2") == "conductance density"
    with pytest.raises(ValueError, match="Unit must be one of"):
        units.dimension("parsec")


def test_two_units_must_measure_the_same():
    with pytest.raises(ValueError, match=r"^Unit 'mV' must measure the same as 'ms', but one is a pot"):
        units.factor("mV", "ms")
    with pytest.raises(ValueError, match="must measure the same"):
        units.factor("mS/cm2", "nS")  # a density is not a conductance


NAMES = sorted(units._UNITS)


@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_conversion_there_and_back_is_one(one, other):
    if units.dimension(one) == units.dimension(other):
        assert units.factor(one, other) * units.factor(other, one) == pytest.approx(1.0, rel=1e-14)
    else:
        with pytest.raises(ValueError, match="must measure the same"):
            units.factor(one, other)


@given(st.floats(-1e12, 1e12), st.sampled_from([name for name in NAMES if name]))
def test_what_is_printed_is_read_back(value, unit):
    assert math.isclose(units.parse(f"{value!r} {unit}"), value * units.factor(unit), rel_tol=1e-15)


def test_celsius():
    assert units.celsius(6.3) == pytest.approx(279.45)
