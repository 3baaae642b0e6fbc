"""Diffuse layers: at charged walls and electrodes, of ions with a size, on membranes; Donnan equilibrium."""

import functools
import math
from collections.abc import Iterator

import numpy as np

from .. import electrodiffusion as ed
from .. import units
from ..electrochemistry import Solution, debye_length, donnan, surface_potential
from . import fields
from .pnp_case import Answer, Given, closed, questions, salt, solved
from .pnp_junctions import given_number, slab
from .pnp_solver import Problem, at_places, clustered
from .points import Question
from .row import Row

CELLS = 4096
SLAB = 2048
MIDDLE = 16  # edges of a membrane, between ...
SIDE = (SLAB - MIDDLE) // 2  # ... those of the water on each side
FAR = 25.0  # Debye lengths to where a layer has ended
WEAK = 1e-2  # [mV]: where a charge is proportional to the potential
MOBILE = 1e-9  # diffusivity [m2/s], which an equilibrium does not depend on
BLOCKED = (ed.End(passes=()), ed.End())
GIVEN = frozenset(("T_K", "eps_r", "z", "expected"))


def grahame(given: Given) -> Iterator[Row | Question]:
    """Potential and concentrations at a charged wall."""
    species, points = given.species(), fields.tables(given.case.get("expected"), f"expected of {given.name}")
    c, eps, t = given.neutral("c_bulk_mM", species), given.permittivity(), given.temperature
    bulk = Solution(dict(zip(species, c, strict=True)))
    z = np.asarray([s.z for s in species])
    sigma = np.asarray([given_number(given, p, "sigma_C_m2") for p in points])
    charge = sigma * units.C_PER_M2 * given.charge_scale
    scale = float(debye_length(bulk, t, eps))
    pore = slab(FAR * scale, species, [MOBILE] * len(species), permittivity=eps)
    bath = given.bath(species, c, c)

    @functools.cache
    def wall():
        psi = np.asarray([float(surface_potential(q, bulk, t, eps)) for q in charge])
        return psi, np.asarray(c) * np.exp(-z * psi[:, None] / given.thermal)

    def problem(q):
        # The thickness of the layer where all of its charge is counterions, and the Debye length at the wall.
        finest = min(scale, 2.0 * units.EPSILON0 * eps * given.thermal * 1e6 / max(abs(q) * units.E0 * 1e18, 1e-30))
        mesh = clustered(pore, [CELLS], [(2e-3 * finest, None)])
        return Problem(pore, bath, mesh, (ed.End(passes=(), contact=ed.Charged(q)), ed.End()))

    found = given.batch.profiles([problem(q) for q in charge], [0.0] * len(charge))
    for k, point in enumerate(points):
        known = {
            "psi0_mV": (Answer(wall, lambda x, k=k: x[0][k]), solved(found, lambda p, k=k: p.potential[k, 0])),
            "c_surface_mM": (
                Answer(wall, lambda x, k=k: x[1][k]),
                solved(found, lambda p, k=k: p.concentrations[k, :, 0]),
            ),
        }
        where = f"{given.name}, sigma_C_m2 {sigma[k]:g}"
        yield from questions(given, point, where, known, {"sigma_C_m2"}, points)
    known = {"lambda_D_nm": closed(lambda: debye_length(bulk, t, eps))}
    yield from questions(given, given.case, given.name, known, GIVEN | {"c_bulk_mM"})


def gouy_chapman(given: Given) -> Iterator[Row | Question]:
    """The profile of a layer."""
    species, points = salt(given), fields.tables(given.case.get("expected"), f"expected of {given.name}")
    c, eps, t = given.positive("c_bulk_mM"), given.permittivity(), given.temperature
    psi0 = given.number("psi0_mV")
    bulk = Solution(dict.fromkeys(species, c))
    scale = float(debye_length(bulk, t, eps))
    places = [fields.not_negative(given_number(given, p, "x_nm"), f"x_nm of {given.name}") for p in points]
    pore = slab(max(FAR * scale, max(places, default=0.0) + 12.0 * scale), species, [MOBILE] * 2, permittivity=eps)
    bath = given.bath(species, [c] * 2, [c] * 2)
    finest = scale / math.cosh(psi0 / (2.0 * given.thermal))
    problem = Problem(pore, bath, clustered(pore, [CELLS], [(4e-3 * finest, None)]), BLOCKED)

    @functools.cache
    def layer():
        slope = np.tanh(psi0 / (4.0 * given.thermal)) * np.exp(-np.asarray(places) / scale)
        psi = 4.0 * given.thermal * np.arctanh(slope)
        return psi, c * np.exp(-psi / given.thermal), c * np.exp(psi / given.thermal)

    solution = given.batch.profiles([problem], [psi0])

    @functools.cache
    def found():
        p = solution()
        return [at_places(p.x[0], y, places) for y in (p.potential[0], *p.concentrations[0])]

    for k, point in enumerate(points):
        both = lambda i, k=k: (Answer(layer, lambda x: x[i][k]), solved(found, lambda x: x[i][k]))
        known = {"psi_mV": both(0), "c_plus_mM": both(1), "c_minus_mM": both(2)}
        yield from questions(given, point, f"{given.name}, x_nm {places[k]:g}", known, {"x_nm"}, points)
    known = {"lambda_D_nm": closed(lambda: debye_length(bulk, t, eps))}
    yield from questions(given, given.case, given.name, known, GIVEN | {"c_bulk_mM", "psi0_mV"})


def donnan_equilibrium(given: Given) -> Iterator[Row | Question]:
    """Fixed charge in equilibrium with a bath: at once, and in the middle of a slab."""
    species = given.species()
    c, fixed, t = given.neutral("c_bulk_mM", species), given.number("X_fixed_mM"), given.temperature
    bulk = Solution(dict(zip(species, c, strict=True)))
    bath = given.bath(species, c, c)
    rest = donnan(bulk, fixed, 1.0, t)
    inside = Solution(dict(zip(species, np.asarray(rest.inside.c, float).tolist(), strict=True)))
    pore = slab(50.0 * float(debye_length(inside, t)), species, [MOBILE] * len(species), fixed_charge=fixed)
    found = given.batch.profiles([Problem(pore, bath, clustered(pore, [SLAB], [(None, None)]))], [0.0])
    middle = SLAB // 2
    known = {
        "psi_D_mV": (closed(lambda: rest.potential), solved(found, lambda p: p.potential[0, middle])),
        "c_in_mM": (closed(lambda: rest.inside.c), solved(found, lambda p: p.concentrations[0, :, middle])),
    }
    wanted = fields.table(given.case.get("expected"), f"expected of {given.name}")
    yield from questions(given, wanted, given.name, known, ())
    yield from questions(given, given.case, given.name, {}, GIVEN | {"X_fixed_mM", "c_bulk_mM"})


def bikerman(given: Given) -> Iterator[Row | Question]:
    """Charge and capacitance of an electrode in ions that take up space."""
    species, points = salt(given), fields.tables(given.case.get("expected"), f"expected of {given.name}")
    c, a, eps, t = given.positive("c0_mM"), given.positive("a_nm"), given.permittivity(), given.temperature
    bulk = Solution(dict.fromkeys(species, c))
    scale = float(debye_length(bulk, t, eps))
    volts = [given_number(given, p, "psi_mV") for p in points]
    psi = np.asarray(volts) / given.thermal
    most = 1e27 / (a**3 * units.N_A)
    nu = 2.0 * c / most
    if nu >= 1.0:
        raise fields.InputError(f"Ions of {given.name} must fit, but {c:g} mM of both are more than {most:g} mM.")

    @functools.cache
    def layer():
        half = np.sinh(psi / 2.0) ** 2
        filled = 1.0 + 2.0 * nu * half
        unit = 2.0 * c * units.F * given.constants.per_mole * scale * 1e-9
        q = np.sign(psi) * unit * np.sqrt(2.0 / nu * np.log1p(2.0 * nu * half))
        slope = np.where(
            psi == 0, 1.0, unit * np.sinh(np.abs(psi)) / np.where(psi == 0, 1.0, filled * np.abs(q) / unit)
        )
        per_volt = 1e3 / given.thermal
        flat = unit * per_volt
        capacitance = np.where(psi == 0, flat, slope * per_volt)
        return q, capacitance, flat * np.cosh(psi / 2.0), c * np.exp(np.abs(psi)) / filled

    pore = slab(FAR * scale, species, [MOBILE] * 2, permittivity=eps)
    bath = given.bath(species, [c] * 2, [c] * 2)
    # The layer is as thin as its charge allows: at most that of points, at least that of the densest packing.
    finest = scale / math.cosh(min(float(np.max(np.abs(psi), initial=0.0)) / 2.0, math.acosh(nu**-0.5 + 1.0)))
    mesh = clustered(pore, [CELLS], [(4e-3 * finest, None)])
    problem = Problem(pore, bath, mesh, BLOCKED, steric=ed.Bikerman(np.full(2, a)))
    density = 1.0 / units.C_PER_M2 / given.charge_scale

    solution = given.batch.profiles([problem] * len(volts), volts, sensitive=True)

    @functools.cache
    def found():
        p, slope = solution()
        return p.charge[:, 0] * density, slope[:, 0] * density * 1e3, np.max(p.concentrations[:, :, 0], 1)

    for k, point in enumerate(points):
        both = lambda i, j, k=k: (Answer(layer, lambda x: x[i][k]), solved(found, lambda x: x[j][k]))
        known = {
            "q_C_m2": both(0, 0),
            "C_F_m2": both(1, 1),
            "c_counterion_contact_mM": both(3, 2),
            "C_GouyChapman_F_m2": Answer(layer, lambda x, k=k: x[2][k]),
        }
        yield from questions(given, point, f"{given.name}, psi_mV {volts[k]:g}", known, {"psi_mV"}, points)
    known = {
        "lambda_D_nm": closed(lambda: debye_length(bulk, t, eps)),
        "nu": closed(lambda: nu),
        "cmax_mM": closed(lambda: most),
    }
    yield from questions(given, given.case, given.name, known, GIVEN | {"c0_mM", "a_nm"})


def membrane_capacitance(given: Given) -> Iterator[Row | Question]:
    """A membrane that no ion enters, with a layer on each side."""
    species, points = salt(given), fields.tables(given.case.get("expected"), f"expected of {given.name}")
    c, length, t = given.positive("c_mM"), given.positive("L_membrane_nm"), given.temperature
    water, oil = given.permittivity("eps_water"), given.permittivity("eps_membrane")
    bulk = Solution(dict.fromkeys(species, c))
    scale = float(debye_length(bulk, t, water))
    volts = [1e3 * given_number(given, p, "V") for p in points]
    farad = units.EPSILON0 / 1e-9 / given.charge_scale  # F/m2 of 1 nm
    slabs, layers = farad * oil / length, farad * water / scale

    @functools.cache
    def series():
        # Half of the potential [kT/e] in each layer beside what the slab takes, by Newton's method from above.
        psi = np.asarray(volts) / given.thermal / 2.0
        half, ratio = psi.copy(), slabs / layers
        for _ in range(60):
            f = 2.0 * np.sinh(half / 2.0) - ratio * 2.0 * (psi - half)
            half = half - f / (np.cosh(half / 2.0) + 2.0 * ratio)
        psi_mv = half * given.thermal
        across = np.asarray(volts) - 2.0 * psi_mv
        return slabs * across * 1e-3, psi_mv, across

    parts = [FAR * scale, length, FAR * scale]
    none = {s: [1.0, 0.0, 1.0] for s in species}
    pore = slab(parts, species, [MOBILE] * 2, permittivity=[water, oil, water], partition=none)
    bath = given.bath(species, [c] * 2, [c] * 2)
    finest = 0.02 * scale
    mesh = clustered(pore, [SIDE, MIDDLE, SIDE], [(None, finest), (None, None), (finest, None)])
    problem = Problem(pore, bath, mesh)
    density = 1.0 / units.C_PER_M2 / given.charge_scale

    solution = given.batch.profiles([problem] * (len(volts) + 1), [*volts, WEAK])

    @functools.cache
    def found():
        p = solution()
        surface = p.potential[:, SIDE], p.potential[:, SIDE + MIDDLE]
        return p.displacement[:, SLAB // 2] * density, np.asarray([*volts, WEAK]) - surface[0], surface[0] - surface[1]

    for k, point in enumerate(points):
        both = lambda i, k=k: (Answer(series, lambda x: x[i][k]), solved(found, lambda x: x[i][k]))
        known = {"Q_C_m2": both(0), "psi_diffuse_each_mV": both(1), "V_membrane_mV": both(2)}
        yield from questions(given, point, f"{given.name}, V {point['V']}", known, {"V"}, points)
    known = {
        "C_small_signal_F_m2": (
            closed(lambda: 1.0 / (1.0 / slabs + 2.0 / layers)),
            solved(found, lambda x: x[0][-1] / (1e-3 * WEAK)),
        ),
        "C_membrane_only_F_m2": closed(lambda: slabs),
        "lambda_D_nm": closed(lambda: debye_length(bulk, t, water)),
    }
    here = {*GIVEN, "eps_water", "eps_membrane", "L_membrane_nm", "c_mM"}
    yield from questions(given, given.case, given.name, known, here)
