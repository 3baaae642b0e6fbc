"""Pores with charged walls, and a channel between two baths: currents by species, rectification, potentials."""

import math
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from .. import electrodiffusion as ed
from .. import units
from ..electrochemistry import Bath, Species
from ..results import InputError
from . import fields
from .pnp_case import Answer, Given, closed, named, questions, solved
from .pnp_junctions import GIVEN, given_number
from .pnp_solver import Problem, at_places, clustered
from .points import Case, Question
from .row import Row

CELLS, BATH_CELLS = 2048, 320
PER_NM3 = 1e27 / units.N_A  # mM of one particle in a nm3
CARRIERS = {"I_pA": (1, -1), "I_cation_pA": (1,), "I_anion_pA": (-1,)}


def cone(given: Given) -> Iterator[Row | Question]:
    """A conical pore with a charged wall."""
    species = given.species()
    radii = [given.positive("r_at_x0_nm"), given.positive("r_at_xL_nm")]
    length = given.positive("L_nm")
    sigma = given.number("sigma_e_per_nm2") * given.charge_scale
    pore = ed.Pore(
        length, _diffusion(given, species), radius=radii, wall_charge=sigma, permittivity=given.permittivity()
    )
    ends = [(_finest(given, r, sigma), _finest(given, r, sigma)) for r in radii]
    mesh = clustered(pore, [CELLS], [(ends[0][0], ends[1][1])])
    c = given.positive("c_bath_mM")
    siemens = sum(s.z**2 * 1e-9 * x for s, x in zip(species, np.asarray(pore.diffusion)[:, 0], strict=True)) * c
    siemens *= units.F * given.constants.per_mole / (1e-3 * given.thermal)
    conductance = 1e3 * siemens * math.pi * radii[0] * radii[1] / length
    known = {"uncharged_conductance_pS": closed(lambda: conductance)}
    here = ("r_at_x0_nm", "r_at_xL_nm", "sigma_e_per_nm2")
    yield from _currents(given, species, Problem(pore, _bath(given, species), mesh), known, here)


def diode(given: Given) -> Iterator[Row | Question]:
    """A cylinder of two halves with walls of different charge."""
    species, radius, length = given.species(), given.positive("r_nm"), given.positive("L_nm")
    sigma = [given.number(key) * given.charge_scale for key in ("sigma_left_e_nm2", "sigma_right_e_nm2")]
    pore = ed.Pore(
        [0.5 * length] * 2,
        _diffusion(given, species),
        radius=radius,
        wall_charge=sigma,
        permittivity=given.permittivity(),
    )
    finest = [_finest(given, radius, q) for q in sigma]
    mesh = clustered(pore, [CELLS // 2] * 2, [(h, h) for h in finest])
    here = ("r_nm", "sigma_left_e_nm2", "sigma_right_e_nm2")
    yield from _currents(given, species, Problem(pore, _bath(given, species), mesh), {}, here)


def _currents(
    given: Given, species: tuple[Species, ...], problem: Problem, known: dict[str, Answer], here: Collection[str]
) -> Iterator[Row | Question]:
    """Currents at voltages, and the ratio of those at a voltage and its opposite."""
    points = fields.tables(given.case.get("expected"), f"expected of {given.name}")
    ratio = fields.table(given.case.get("rectification"), f"rectification of {given.name}")
    volts = [1e3 * given_number(given, p, "V") for p in points]
    step = 1e3 * given_number(given, ratio, "V") if ratio else 0.0
    places = [*volts, -step, step] if ratio else volts
    found = given.batch.profiles([problem] * len(places), places)
    carried_by = lambda p: p.currents * given.constants.per_mole
    z = np.asarray([s.z for s in species])
    for k, point in enumerate(points):
        carried = {
            quantity: solved(
                found, lambda x, k=k, signs=signs: np.sum(carried_by(x)[k, np.isin(np.sign(z), signs)]), by=""
            )
            for quantity, signs in CARRIERS.items()
        }
        yield from questions(given, point, f"{given.name}, V {point['V']}", carried, {"V"}, points)
    share = solved(found, lambda x: abs(x.current[-2] / x.current[-1]), by="")
    where = f"{given.name} rectification"
    yield from questions(given, ratio, where, {"abs_I_minus_over_I_plus": share}, {"V"})
    yield from questions(
        given, given.case, given.name, known, {*GIVEN, "expected", "rectification", "c_bath_mM", *here}
    )


def _diffusion(given: Given, species: Sequence[Species]) -> dict[Species, float]:
    return {s: 1e9 * x for s, x in zip(species, given.positives("D_m2_s", len(species)), strict=True)}


def _bath(given: Given, species: Sequence[Species]) -> Any:
    c = [given.positive("c_bath_mM")] * len(species)
    if sum(s.z for s in species):
        raise InputError(f"Ions of {given.name} must be neutral at equal concentration, but z is {given.find('z')}.")
    return given.bath(tuple(species), c, c)


def _finest(given: Given, radius: float, sigma: float) -> float:
    """A small part of the Debye length of the bath, or of the ions that neutralize the wall [nm]."""
    wall = 2.0 * abs(sigma) / radius * 1e27 / units.N_A
    strength = 2.0 * given.positive("c_bath_mM") + wall
    debye = math.sqrt(units.EPSILON0 * given.permittivity() * 1e-3 * given.thermal / (units.F * strength)) * 1e9
    return 0.01 * debye


# --- a channel with its baths ---


def channel(given: Given) -> Iterator[Row | Question]:
    """Segments of different charge, size and permittivity, between baths that widen in stairs or as cones."""
    here = {"geometry", "fixed_charge_e", "eps_bath", "eps_channel", "D_bath", "D_channel", "z", "c_bath_M", "VT_V"}
    for shape in ("stair_geometry", "smooth_cone_geometry"):
        if given.case.get(shape) is not None:
            here.add(shape)
            yield from _shaped(given, shape)
    yield from questions(given, given.case, given.name, {}, here | {"published_BIE_I_pA"})


def _shaped(given: Given, shape: str) -> Iterator[Row | Question]:
    points = fields.tables(given.case[shape], f"{shape} of {given.name}")
    geometry = Given(fields.table(given.find("geometry"), f"geometry of {given.name}"), given.name)
    parts = geometry.positives("channel_lengths_nm")
    count = len(parts)
    water, d_water = given.positive("eps_bath"), 1e9 * given.positive("D_bath")
    charge, eps = given.numbers("fixed_charge_e", count), given.positives("eps_channel", count)
    mobile = [1e9 * x for x in given.positives("D_channel", count)]
    wide, narrow = geometry.positive("bath_radius_outer_nm"), _narrow(geometry)
    stairs = fields.whole(geometry.find("bath_stairs"), f"bath_stairs of {given.name}") if "stair" in shape else 1
    if not 1 <= stairs <= 100:
        raise InputError(f"bath_stairs of {given.name} must be between 1 and 100, but is {stairs}.")
    before, after = geometry.positives("bath_length_nm", 2)
    steps = [wide - k * (wide - narrow) / stairs for k in range(stairs)]
    sides = [(r, r) for r in steps] if "stair" in shape else [(wide, narrow)]
    radius = [*sides, *[(narrow, narrow)] * count, *[(b, a) for a, b in sides[::-1]]]
    ions = named([fields.valence({"z": z}, given.name) for z in fields.rows_of(given.find("z"), "z")])
    fixed = [
        q * PER_NM3 * given.charge_scale / (math.pi * narrow**2 * length)
        for q, length in zip(charge, parts, strict=True)
    ]
    alike = lambda inner, outer: [*[outer] * stairs, *inner, *[outer] * stairs]
    thermal = 1e3 * given.positive("VT_V")
    temperature = thermal / float(units.thermal_voltage(1.0))
    scale = given.permittivity_scale
    pore = ed.Pore(
        [*[before / stairs] * stairs, *parts, *[after / stairs] * stairs],
        {s: alike(mobile, d_water) for s in ions},
        radius=np.asarray(radius),
        fixed_charge=alike(fixed, 0.0),
        permittivity=[x * scale for x in alike(eps, water)],
    )
    left, right = given.numbers("c_bath_M", 2)
    bath = Bath(dict.fromkeys(ions, 1e3 * left), dict.fromkeys(ions, 1e3 * right), temperature)
    # Whole numbers of eight edges, so that cases share a program.
    outer = max(8, BATH_CELLS // stairs // 8 * 8)
    each = max(8, (CELLS - 2 * outer * stairs) // (8 * count) * 8)
    cells = [outer] * stairs + [each] * count + [outer] * stairs
    inner = [(2e-4 * length, 2e-4 * length) for length in parts]
    ends: Any = [(None, 2e-3)] if stairs == 1 else [(None, None)] * stairs
    mesh = clustered(pore, cells, [*ends, *inner, *[(b, a) for a, b in ends]])
    problem = Problem(pore, bath, mesh)
    volts = [1e3 * given_number(given, p, "V_right") for p in points]
    found = given.batch.profiles([problem] * len(volts), [-v for v in volts])
    amount = given.constants.per_mole
    for k, point in enumerate(points):
        places = [before + fields.number(x, f"probe_x_nm of {given.name}") for x in _probes(given, point)]

        def potential(p: ed.Profile, k: int = k, places: Sequence[float] = places) -> np.ndarray:
            return at_places(p.x[k], p.potential[k], places) + volts[k]

        known = {
            "I_pA_by_species": solved(found, lambda p, k=k: p.currents[k] * amount, by=""),
            "I_total_pA": solved(found, lambda p, k=k: p.current[k] * amount, by=""),
            "psi_mV": solved(found, potential, by=""),
        }
        where = f"{given.name} {shape}, V_right {point['V_right']}"
        yield from questions(given, point, where, known, {"V_right", "probe_x_nm"}, points)


def _narrow(geometry: Given) -> float:
    """The radius of the channel, which may stand in a note."""
    if geometry.case.get("channel_radius_nm") is not None:
        return geometry.positive("channel_radius_nm")
    text = " ".join(str(geometry.case.get(key, "")) for key in ("note", "smooth"))
    said = re.search(r"channel radius (\d*\.?\d+)", text) or re.search(r"to (\d*\.?\d+) nm", text)
    if said is None:
        raise InputError(f"geometry of {geometry.name} must have the field 'channel_radius_nm', but has none.")
    return fields.positive(said[1], f"channel radius of {geometry.name}")


def _probes(given: Given, point: Case) -> Sequence[Any]:
    return fields.rows_of(point.get("probe_x_nm"), f"probe_x_nm of {given.name}")
