"""Poisson-Nernst-Planck in time: charging of electrodes, relaxing modes, a junction that builds up its potential."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from .. import electrodiffusion as ed
from .. import units
from ..electrochemistry import Solution, debye_length
from ..results import InputError
from . import fields
from .pnp_case import Answer, Given, closed, named, questions, solved
from .pnp_junctions import slab
from .pnp_linear import Charging, Step, modes
from .pnp_solver import Problem, at_places, clustered
from .points import Case, Question, compiled
from .row import Row

CELLS = 256
SAMPLES = 8  # in one run, so that cases share a program; what is missing is filled
SALT = named((1, -1))
WEAK = 2e-3  # [kT/e]: where an answer is proportional to the potential
SMALL = 1e-5  # relative size of a mode
CLOSED = (ed.End(passes=()), ed.End(passes=()))
# No field at either end of a neutral cell: the far end bears no charge, and so the near one does not, either.
LOOSE = (ed.End(passes=()), ed.End(passes=(), contact=ed.Charged(0.0)))


@compiled
def _course(parts: Any, v: Any, t: Any, start: Any) -> ed.Course:
    pore, bath, mesh, ends, filling, steric = parts
    method = ed.Rosenbrock(rtol=1e-7)
    return ed.evolve(
        pore, v, t, bath, mesh=mesh, ends=ends, filling=filling, steric=steric, start=start, method=method, throw=False
    )


def course(problem: Problem, v: float, times: Sequence[float], start: np.ndarray) -> list[np.ndarray]:
    """Potential, concentrations, charge and current of a run from concentrations at time zero; samples [ns] in any order, as many as are asked for."""
    wanted = np.asarray(times, float)
    found = []
    for first in range(0, len(wanted), SAMPLES):
        some = np.unique(wanted[first : first + SAMPLES])
        more = some[-1] * (1.0 + 1e-3 * np.arange(1, SAMPLES - len(some) + 1))
        filled = np.concatenate([some, more])
        got = jax.tree.map(np.asarray, _course(problem.parts, np.asarray(v), filled, start))
        place = np.searchsorted(some, wanted[first : first + SAMPLES])
        found.append([x[place] for x in (got.potential, got.concentrations, got.charge, got.current)])
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _times(given: Given, points: Sequence[Case], key: str, scale: float) -> list[float]:
    """Samples [ns]."""
    found = [scale * fields.positive(fields.need(p, key, given.name), f"{key} of {given.name}") for p in points]
    if not found:
        raise InputError(f"{given.name} must have times, but has none.")
    return found


def _cell(given: Given, length: Any, d: Sequence[float], c: float, eps: float, ends: Any, mesh: Any) -> Problem:
    pore = slab(length, SALT, d, permittivity=eps)
    return Problem(pore, given.bath(SALT, [c] * 2, [c] * 2), mesh(pore), ends)


def charging(given: Given) -> Iterator[Row | Question]:
    """Electrodes after a small step of the potential."""
    points = fields.tables(given.case.get("expected"), f"expected of {given.name}")
    c, half, d = given.positive("c0_mM"), given.positive("half_gap_nm"), given.positive("D_m2_s")
    eps, t = given.permittivity(), given.temperature
    scale = float(debye_length(Solution(dict.fromkeys(SALT, c)), t, eps))
    linear = Charging(half / scale)
    tau = scale * half / (1e9 * d)  # lambda L/D [ns]
    times = _times(given, points, "t_s", 1e9)
    mesh = lambda pore: clustered(pore, [CELLS], [(0.03 * scale, 0.03 * scale)])
    problem = _cell(given, 2.0 * half, [d, d], c, eps, CLOSED, mesh)
    v = WEAK * given.thermal
    last = units.EPSILON0 * eps * 0.5e-3 * v / (scale * 1e-9) / np.tanh(half / scale) * units.C_PER_M2
    late = [3.0 * tau, 5.0 * tau]

    @functools.cache
    def run():
        uniform = np.full((2, CELLS + 1), c)
        *_, charge, _ = course(problem, v, times, uniform)
        *_, flow = course(problem, v, late, uniform)
        return charge[:, 0] / last, (late[1] - late[0]) / np.log(flow[0, 0] / flow[1, 0])

    for k, point in enumerate(points):
        known = {
            "q_over_qinf": (
                closed(lambda k=k: linear.charge(times[k] / tau)),
                solved(run, lambda found, k=k: found[0][k]),
            ),
            "t_over_tauRC": closed(lambda k=k: times[k] / tau),
        }
        yield from questions(given, point, f"{given.name}, t_s {point['t_s']}", known, {"t_s"}, points)
    known = {
        "lambda_D_nm": closed(lambda: scale),
        "tau_RC_s": closed(lambda: 1e-9 * tau),
        "tau_exact_s": (closed(lambda: 1e-9 * tau * linear.slowest), solved(run, lambda found: 1e-9 * found[1])),
        "tau_exact_over_tauRC": closed(lambda: linear.slowest),
        "q0_over_qinf": closed(lambda: linear.first),
    }
    here = {"T_K", "eps_r", "c0_mM", "half_gap_nm", "D_m2_s", "expected"}
    yield from questions(given, given.case, given.name, known, here)


def charging_far(given: Given) -> Iterator[Row | Question]:
    """The same after a large step, without units."""
    points = fields.tables(given.case.get("rows"), f"rows of {given.name}")
    v, thin = given.number("v"), given.positive("eps")
    name = f"{given.name}, eps {thin:g}, v {v:g}"
    here = Given({**given.case, "T_K": 298.15}, name, given.places)
    c, d = 1.0, 1e-9
    scale = float(debye_length(Solution(dict.fromkeys(SALT, c)), here.temperature))
    half = scale / thin
    tau = scale * half / (1e9 * d)
    times = _times(here, points, "t_over_tauRC", tau)
    finest = 0.03 * scale / np.cosh(v / 2.0)
    mesh = lambda pore: clustered(pore, [CELLS], [(finest, finest)])
    problem = _cell(here, 2.0 * half, [d, d], c, 78.5, CLOSED, mesh)
    unit = 2.0 * c * 1e-27 * units.N_A * scale

    @functools.cache
    def run():
        _, concentrations, charge, _ = course(problem, 2.0 * v * here.thermal, times, np.full((2, CELLS + 1), c))
        return charge[:, 0] / unit, concentrations[:, :, CELLS // 2].mean(1) / c

    for k, point in enumerate(points):
        known = {
            "q": solved(run, lambda found, k=k: found[0][k], by=""),
            "c_mid": solved(run, lambda found, k=k: found[1][k], by=""),
        }
        yield from questions(here, point, f"{name}, t {point['t_over_tauRC']}", known, {"t_over_tauRC"}, points)
    known = {"GC_semi_infinite_q": closed(lambda: 2.0 * np.sinh(v / 2.0))}
    yield from questions(here, given.case, name, known, {"v", "eps", "rows"})


def linear_modes(given: Given) -> Iterator[Row | Question]:
    """How fast a small cosine of each ion decays: the salt, and the charge."""
    c, d = given.positive("c0_mM"), [given.positive("D_plus"), given.positive("D_minus")]
    eps, t, wave = given.permittivity(), given.temperature, given.positive("wavelength_nm")
    scale = float(debye_length(Solution(dict.fromkeys(SALT, c)), t, eps))
    k = 2.0 * np.pi / wave
    rates, shapes = modes(np.asarray(d) * 1e9, k, scale)
    ambipolar = 2.0 * d[0] * d[1] / (d[0] + d[1])
    mesh = lambda pore: ed.uniform(pore, CELLS)
    problem = _cell(given, 0.5 * wave, d, c, eps, LOOSE, mesh)
    x = np.linspace(0.0, 0.5 * wave, CELLS + 1)
    weight = np.cos(k * x) * np.r_[0.5, np.ones(CELLS - 1), 0.5]

    @functools.cache
    def run(which):
        start = c * (1.0 + SMALL * shapes[:, which, None] * np.cos(k * x))
        _, found, *_ = course(problem, 0.0, [0.2 / rates[which], 1.5 / rates[which]], start)
        size = (found - c) @ weight
        return 1e9 * rates[which] / 1.3 * np.log(size[0] / size[1])[1], size[1, 1] / size[1, 0]

    slow, fast = functools.partial(run, 0), functools.partial(run, 1)
    known = {
        "rate_slow_1_s": (closed(lambda: 1e9 * rates[0]), solved(slow, lambda found: found[0])),
        "rate_fast_1_s": (closed(lambda: 1e9 * rates[1]), solved(fast, lambda found: found[0])),
        "ratio_dcminus_dcplus_slow_mode": (
            closed(lambda: shapes[1, 0] / shapes[0, 0]),
            solved(slow, lambda found: found[1]),
        ),
        "ambipolar_D_m2_s": closed(lambda: ambipolar),
        "rate_slow_electroneutral_1_s": closed(lambda: 1e18 * ambipolar * k * k),
    }
    wanted = fields.table(given.case.get("expected"), f"expected of {given.name}")
    yield from questions(given, wanted, given.name, known, ())
    known = {"lambda_D_nm": closed(lambda: scale)}
    here = {"T_K", "eps_r", "c0_mM", "D_plus", "D_minus", "wavelength_nm", "expected"}
    yield from questions(given, given.case, given.name, known, here)


def junction(given: Given) -> Iterator[Row | Question]:
    """The potential that a step of concentration builds up."""
    points = fields.tables(given.case.get("expected"), f"expected of {given.name}")
    d = [given.positive("D_plus"), given.positive("D_minus")]
    left, right = given.positive("c_left_mM"), given.positive("c_right_mM")
    half, probe = given.positive("domain_half_nm"), given.positive("probe_nm")
    eps, t, mean = given.permittivity(), given.temperature, 0.5 * (left + right)
    scale = float(debye_length(Solution(dict.fromkeys(SALT, mean)), t, eps))
    times = _times(given, points, "t_ns", 1.0)
    linear = Step(np.asarray(d) * 1e9, scale, half, probe)
    mesh = lambda pore: clustered(pore, [CELLS // 2] * 2, [(None, 0.1 * scale), (0.1 * scale, None)])
    problem = _cell(given, [half, half], d, left, eps, LOOSE, mesh)
    x = np.asarray(problem.mesh.positions(problem.pore))
    start = np.where(x < half, left, right)
    start[CELLS // 2] = mean
    share = (d[0] - d[1]) / (d[0] + d[1])

    @functools.cache
    def run():
        potential, *_ = course(problem, 0.0, times, np.stack([start, start]))
        ends = np.stack([at_places(x, row, [half - probe, half + probe]) for row in potential])
        return ends[:, 1] - ends[:, 0]

    for k, point in enumerate(points):
        known = {
            "dphi_mV": closed(lambda k=k: given.thermal * linear.rise(times[k]) * (right - left) / mean),
            "dphi_nonlinear_mV": Answer(run, lambda found, k=k: found[k], "rtol"),
        }
        yield from questions(given, point, f"{given.name}, t_ns {point['t_ns']}", known, {"t_ns"}, points)
    known = {
        "electroneutral_plateau_mV": closed(lambda: -given.thermal * share * np.log(right / left)),
        "linearised_plateau_mV": closed(lambda: -given.thermal * share * (right - left) / mean),
        "lambda_D_nm": closed(lambda: scale),
    }
    here = {"T_K", "eps_r", "D_plus", "D_minus", "c_left_mM", "c_right_mM", "domain_half_nm", "probe_nm", "expected"}
    yield from questions(given, given.case, given.name, known, here)
