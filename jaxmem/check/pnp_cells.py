"""Cells that no ion can leave: given amounts between two electrodes."""

import functools
from collections.abc import Iterator

import numpy as np

from .. import electrodiffusion as ed
from .. import units
from ..electrochemistry import Bath, Species
from . import fields
from .pnp_case import Given, named, questions, solved
from .pnp_junctions import given_number, slab
from .pnp_solver import Problem, at_places, clustered
from .points import Question
from .row import Row

CELLS = 8192
TEMPERATURE = 298.15  # [K]; cases without units are solved at this one
CLOSED = (ed.End(passes=()), ed.End(passes=()))


def blocking(given: Given) -> Iterator[Row | Question]:
    """A salt between two blocking electrodes."""
    points = fields.tables(given.case.get("expected"), f"expected of {given.name}")
    species, length, c = named((1, -1)), given.positive("L_nm"), given.positive("c_mean_mM")
    v = 1e3 * given.number("V")
    pore = slab(length, species, [1e-9] * 2, permittivity=given.permittivity())
    bath = given.bath(species, [c] * 2, [c] * 2)
    finest = 0.01 * float(ed.debye_lengths(pore, bath)[0]) * np.exp(-abs(v) / (4.0 * given.thermal))
    mesh = clustered(pore, [CELLS], [(finest, finest)])
    problem = Problem(pore, bath, mesh, CLOSED, filling=dict.fromkeys(species, c))
    places = [given_number(given, p, "x_nm") for p in points]

    solution = given.batch.profiles([problem], [v])

    @functools.cache
    def found():
        p = solution()
        return [at_places(p.x[0], y, places) for y in (1e-3 * (p.potential[0] - 0.5 * v), *p.concentrations[0])]

    for k, point in enumerate(points):
        at = lambda i, k=k: solved(found, lambda x: x[i][k], by="")
        known = {"phi_V": at(0), "c_plus_mM": at(1), "c_minus_mM": at(2)}
        yield from questions(given, point, f"{given.name}, x_nm {places[k]:g}", known, {"x_nm"}, points)
    yield from questions(given, given.case, given.name, {}, {"T_K", "eps_r", "c_mean_mM", "V", "L_nm", "expected"})


def charge_conserving(given: Given) -> Iterator[Row | Question]:
    """The same without units, with a compact layer at both electrodes: phi - eta phi' is given there.

    It is solved with the nm as the unit of length, mM as that of concentration, and RT/F over chi1 as that of the
    potential; the permittivity is what makes Poisson's equation the same.
    """
    wanted = fields.table(given.case.get("expected"), f"expected of {given.name}")
    valences = [fields.valence({"z": z}, given.name) for z in fields.rows_of(given.find("z"), "z")]
    species: tuple[Species, ...] = named(valences)
    eps, eta, mobile, source = (given.positive(key) for key in ("eps", "eta", "chi1", "chi2"))
    left, right = given.numbers("phi_B", 2)
    amounts = given.positives("total_a", len(species))
    unit = float(units.thermal_voltage(TEMPERATURE)) / mobile
    permittivity = units.F**2 * 1e-18 / (units.EPSILON0 * units.R * TEMPERATURE) * eps / (mobile * source)
    pore = slab(2.0, species, [1e-9] * len(species), permittivity=permittivity)
    contact = ed.Stern(permittivity * units.EPSILON0 / (eta * 1e-9))
    ends = (ed.End(passes=(), contact=contact), ed.End(passes=(), contact=contact))
    strength = sum(0.5 * a * z * z for a, z in zip(amounts, valences, strict=True))
    finest = 0.002 * min(1.0, np.sqrt(eps / (mobile * source * strength)))
    mesh = clustered(pore, [CELLS], [(finest, finest)])
    filling = {s: 0.5 * a for s, a in zip(species, amounts, strict=True)}
    none = dict.fromkeys(species, 0.0)
    problem = Problem(pore, Bath(none, none, TEMPERATURE), mesh, ends, filling)
    places = [1.0 + fields.number(x, f"x of {given.name}") for x in fields.rows_of(wanted.get("x"), "x")]

    solution = given.batch.profiles([problem], [(left - right) * unit])

    @functools.cache
    def found():
        p = solution()
        phi = p.potential[0] / unit + right
        c = np.stack([at_places(p.x[0], one, places) for one in p.concentrations[0]])
        return at_places(p.x[0], phi, places), at_places(p.x[0], phi, places, slope=True), c

    at = lambda i: solved(found, lambda x: x[i], by="")
    yield from questions(given, wanted, given.name, {"phi": at(0), "dphi": at(1), "c": at(2)}, {"x"})
    here = {"eps", "eta", "chi1", "chi2", "phi_B", "total_a", "z", "expected"}
    yield from questions(given, given.case, given.name, {}, here)
