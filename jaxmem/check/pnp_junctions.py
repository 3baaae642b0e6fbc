"""Slabs between two baths: constant field and the way to Planck, junctions, charged membranes, selective contacts."""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import electrodiffusion as ed
from .. import units
from ..electrochemistry import Bath, Solution, debye_length, ghk_current
from . import fields
from .pnp_case import Answer, Given, closed, questions, salt, solved
from .pnp_solver import Problem, clustered
from .points import Case, Question
from .row import Row

CELLS = 2048
FINE = 4096  # where a potential is sought
COARSE = (0.0, 0.03, 0.1, 0.4, 0.7, 0.95, 1.0)  # constant field is exact on any mesh
LONG = 2e4  # Debye lengths of a slab that is as good as neutral


def slab(length: float, species: Sequence[Any], diffusion: Sequence[float], **more: Any) -> ed.Pore:
    """A slab of 1 nm2; diffusivities in m2/s. A tube, so that slabs and pores share programs."""
    d = {s: 1e9 * x for s, x in zip(species, diffusion, strict=True)}
    return ed.Pore(length, d, radius=np.pi**-0.5, **more)


def currents(given: Given, profile: ed.Profile) -> np.ndarray:
    """Currents per area of a slab of 1 nm2 [A/m2], (voltages, species)."""
    return np.asarray(profile.currents / units.PORE_CURRENT * units.F * given.constants.per_mole)


def ghk_exact(given: Given) -> Iterator[Row | Question]:
    """Equal totals on both sides: constant field, at any length."""
    species, points = given.species(), fields.tables(given.case.get("expected"), f"expected of {given.name}")
    pore, bath, d = _between(given, species)
    volts = [1e3 * given_number(given, p, "V") for p in points]
    mesh = ed.at(np.asarray(COARSE) * float(pore.ends[-1]), pore)
    problem = Problem(pore, bath, mesh)
    flows = given.batch.profiles([problem] * len(volts), volts)
    field = functools.cache(lambda: _constant_field(given, bath, d, volts) / (1e-9 * float(pore.length[0])))
    for k, point in enumerate(points):
        known = {
            "I_A_m2": (Answer(field, lambda found, k=k: found[k]), solved(flows, lambda p, k=k: currents(given, p)[k])),
        }
        yield from questions(given, point, f"{given.name}, V {point['V']}", known, {"V"}, points)
    back = {"V_reversal": solved(given.batch.reversals([problem]), lambda v: 1e-3 * v[0])}
    yield from questions(given, given.case, given.name, back, GIVEN | {"expected"})


def crossover(given: Given) -> Iterator[Row | Question]:
    """One salt at two concentrations, from short slabs to long ones."""
    species, points = given.species(), fields.tables(given.case.get("expected"), f"expected of {given.name}")
    d = given.positives("D_m2_s", len(species))
    lengths = [fields.positive(fields.need(p, "L_nm", given.name), f"L_nm of {given.name}") for p in points]
    volts = [1e3 * given_number(given, p, "V") for p in points]
    eps = given.permittivity()
    problems = []
    for length in lengths:
        pore, bath, _ = _between(given, species, length)
        problems.append(Problem(pore, bath, fine(pore, bath)))
    flows = given.batch.profiles(problems, volts)
    field = functools.cache(lambda: _constant_field(given, problems[0].bath, d, volts))
    for k, point in enumerate(points):
        known = {
            "IL_A_m": solved(flows, lambda p, k=k: 1e-9 * lengths[k] * currents(given, p)[k], by=""),
            "GHK_IL_A_m": Answer(field, lambda found, k=k: found[k]),
        }
        where = f"{given.name}, L_nm {lengths[k]:g}, V {point['V']}"
        yield from questions(given, point, where, known, {"V", "L_nm", "L_over_lambda"}, points)
    bath = problems[0].bath
    mean = Solution({s: 0.5 * (bath[s][0] + bath[s][1]) for s in species})
    known = {"lambda_D_nm": closed(lambda: debye_length(mean, given.temperature, eps))}
    yield from questions(given, given.case, given.name, known, GIVEN | {"expected"})


def liquid_junction(given: Given) -> Iterator[Row | Question]:
    """Henderson's and Planck's potentials, and that of a long slab."""
    species = given.species()
    d = dict(zip(species, given.positives("D_m2_s", len(species)), strict=True))
    inside, outside = (given.neutral(key, species) for key in ("c_left_mM", "c_right_mM"))
    bath = given.bath(species, inside, outside)
    dilute = Solution(dict(zip(species, min(inside, outside, key=sum), strict=True)))
    length = LONG * float(debye_length(dilute, given.temperature))
    pore = slab(length, species, list(d.values()))
    problem = Problem(pore, bath, clustered(pore, [FINE], [(None, None)]))
    known = {
        "henderson_mV": closed(lambda: -ed.henderson_potential(d, bath)),
        "planck_steady_mV": (
            closed(lambda: -ed.junction_potential(d, bath)),
            solved(given.batch.reversals([problem]), lambda v: -v[0]),
        ),
    }
    wanted = fields.table(given.case.get("expected"), f"expected of {given.name}")
    yield from questions(given, wanted, given.name, known, ())
    yield from questions(given, given.case, given.name, {}, GIVEN | {"expected"})


def membrane(given: Given) -> Iterator[Row | Question]:
    """The potential of a charged membrane, neutral and resolved."""
    species, points = salt(given), fields.tables(given.case.get("expected"), f"expected of {given.name}")
    d = [given.positive("D_plus"), given.positive("D_minus")]
    fixed = given.number("X_fixed_mM")
    sides = [[given_number(given, p, key) for key in ("c_left_mM", "c_right_mM")] for p in points]
    baths = [given.bath(species, [left] * 2, [right] * 2) for left, right in sides]
    diffusion = dict(zip(species, d, strict=True))
    neutral = functools.cache(lambda: [-ed.junction_potential(diffusion, bath, fixed) for bath in baths])
    lengths = {key: _length(given, key) for p in points for key in p if re.fullmatch(r"E_PNP(_L.*nm)?_mV", key)}
    resolved = {}
    for key, length in lengths.items():
        pore = slab(length, species, d, permittivity=given.permittivity(), fixed_charge=fixed)
        problems = [Problem(pore, bath, fine(pore, bath, FINE)) for bath in baths]
        resolved[key] = given.batch.reversals(problems)
    for k, point in enumerate(points):
        known: dict[str, Answer] = {"E_right_minus_left_mV": Answer(neutral, lambda found, k=k: found[k])}
        known |= {key: Answer(f, lambda v, k=k: -v[k], "rtol_PNP") for key, f in resolved.items()}
        where = f"{given.name}, {sides[k][0]:g}|{sides[k][1]:g} mM"
        yield from questions(given, point, where, known, {"c_left_mM", "c_right_mM"}, points)
    here = {*GIVEN, "expected", "X_fixed_mM", "D_plus", "D_minus", "L_PNP_nm"}
    yield from questions(given, given.case, given.name, {}, here)


def limiting_current(given: Given) -> Iterator[Row | Question]:
    """A contact that passes cations alone: the neutral limit, and the resolved layer at the contact."""
    case, points = given.case, fields.tables(given.case.get("expected"), f"expected of {given.name}")
    inner = Given(fields.table(case.get("PNP_problem"), f"PNP_problem of {given.name}"), given.name, (case,))
    species = salt(inner)
    c, length, d = (given.positive(key) for key in ("c_reservoir_mM", "L_nm", "D_plus"))
    volts = [1e3 * given_number(given, p, "V_app") for p in points]
    largest = 2.0 * units.F * given.constants.per_mole * d * c / (length * 1e-9)
    share = [np.exp(-v / (2.0 * given.thermal)) for v in volts]
    bath = given.bath(species, [c] * 2, [c] * 2)
    eps = inner.permittivity() if inner.case else 78.5
    pore = slab(length, species, [d, d], permittivity=eps)
    scale = float(debye_length(bath.inside, given.temperature, eps))
    mesh = clustered(pore, [CELLS], [(0.02 * scale, 2e-4 * scale)])
    problem = Problem(pore, bath, mesh, (ed.End(), ed.End(passes=(species[0],))))
    flow = given.batch.profiles([problem] * len(volts), volts)
    for k, point in enumerate(points):
        known = {
            "I_A_m2": closed(lambda k=k: -largest * np.expm1(-volts[k] / (2.0 * given.thermal))),
            "c_at_L_mM": closed(lambda k=k: c * share[k]),
            "dphi_0_to_L_V": closed(lambda k=k: 0.5e-3 * volts[k]),
            "I_PNP_A_m2": Answer(flow, lambda p, k=k: currents(given, p)[k, 0], "rtol_PNP"),
        }
        yield from questions(given, point, f"{given.name}, V_app {point['V_app']}", known, {"V_app"}, points)
    known = {"I_lim_A_m2": closed(lambda: largest)}
    here = {*GIVEN, "expected", "D_plus", "D_minus", "c_reservoir_mM"}
    yield from questions(given, case, given.name, known, here)


GIVEN = frozenset(("T_K", "z", "D_m2_s", "L_nm", "eps_r", "c_left_mM", "c_right_mM"))


def given_number(given: Given, point: Case, key: str) -> float:
    """A number of a point."""
    return fields.number(fields.need(point, key, given.name), f"{key} of {given.name}")


def fine(pore: ed.Pore, bath: Bath, cells: int = CELLS) -> ed.Mesh:
    """The mesh of a pore of one segment that resolves the layers at both ends."""
    finest = 0.01 * float(ed.debye_lengths(pore, bath)[0])
    return clustered(pore, [cells], [(finest, finest)])


def _between(given: Given, species: Any, length: float | None = None) -> Any:
    inside, outside = (given.neutral(key, species) for key in ("c_left_mM", "c_right_mM"))
    d = given.positives("D_m2_s", len(species))
    pore = slab(given.positive("L_nm") if length is None else length, species, d, permittivity=given.permittivity())
    return pore, given.bath(species, inside, outside), d


def _constant_field(given: Given, bath: Bath, d: Sequence[float], volts: Sequence[float]) -> np.ndarray:
    """Currents of a constant field times the length of the slab [A/m], (voltages, species)."""
    v = np.asarray(volts)
    flows = [ghk_current(v, *bath[s], s.z, x, bath.temperature) for s, x in zip(bath.species, d, strict=True)]
    return given.constants.per_mole * np.stack([np.asarray(flow) for flow in flows], 1)


def _length(given: Given, key: str) -> float:
    named = re.fullmatch(r"E_PNP_L([0-9.e+]+)nm_mV", key)
    return fields.positive(named[1], key) if named else given.positive("L_PNP_nm")
