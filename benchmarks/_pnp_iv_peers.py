"""Peers of `pnp_iv`: a banded Newton's method in numpy and LAPACK, and DEVSIM, voltage after voltage."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from _pnp_iv import (
    DIFFUSION,
    INSIDE,
    KAPPA,
    OUTSIDE,
    PER_FLUX,
    PERMITTIVITY,
    TOLERANCE,
    UNIT,
    VALENCE,
    VOLTS,
    error,
    fixed,
    nodes,
)
from _timing import Row, measure

_NAMES = ("K", "Na", "Cl")


def row(name: str, size: int, timing: dict, setup: float, currents: np.ndarray, note: str = "") -> Row:
    """A row of the table: seconds of one I-V curve."""
    task = f"I-V of 41 voltages, {size} nodes"
    return Row(name, task, **timing, setup=setup, errors={"current": error(currents)}, note=note)


def _bernoulli(x):
    small = np.abs(x) < 1e-3
    safe = np.where(small, 1.0, x)
    value = np.where(small, 1.0 - x / 2 + x * x / 12, safe / np.expm1(safe))
    slope = np.where(small, -0.5 + x / 6, (1.0 - value * np.exp(safe)) / np.expm1(safe))
    return value, slope


def banded_currents(size: int) -> np.ndarray:
    """Currents [pA/nm2] at all voltages by Newton's method on concentrations and potential, from zero outward."""
    from scipy.linalg import solve_banded

    x = nodes(size)
    h, count = x[1] - x[0], 4
    charge, ends = fixed(x), np.stack([INSIDE, OUTSIDE])
    inner = np.arange(1, size - 1)
    start = np.concatenate([np.linspace(INSIDE, OUTSIDE, size), np.zeros((size, 1))], 1)
    start[:, 0] = np.maximum(start[:, 0] - charge, start[:, 0])

    def newton(u, v):
        u = u.copy()
        u[0], u[-1] = [*ends[0], v / UNIT], [*ends[1], 0.0]
        for _ in range(100):
            c, psi = u[:, :3], u[:, 3]
            rise = np.diff(psi)[:, None] * VALENCE
            ahead, ahead_slope = _bernoulli(rise)
            back, back_slope = _bernoulli(-rise)
            g = DIFFUSION / h
            flux = g * (ahead * c[:-1] - back * c[1:])
            steep = g * (ahead_slope * c[:-1] + back_slope * c[1:]) * VALENCE
            field = PERMITTIVITY / h * (psi[:-1] - psi[1:])
            r = np.zeros_like(u)
            r[inner, :3] = flux[1:] - flux[:-1]
            r[inner, 3] = field[1:] - field[:-1] - KAPPA * h * (c[inner] @ VALENCE + charge[inner])
            ab = np.zeros((15, size * count))

            def put(rows, k, column, value, ab=ab):
                ab[7 + rows * 4 + k - column, column] = value

            for k in range(3):
                put(inner, k, inner * 4 + k, g[k] * (ahead[1:, k] + back[:-1, k]))
                put(inner, k, inner * 4 + 4 + k, -g[k] * back[1:, k])
                put(inner, k, inner * 4 - 4 + k, -g[k] * ahead[:-1, k])
                put(inner, k, inner * 4 + 3, -steep[1:, k] - steep[:-1, k])
                put(inner, k, inner * 4 + 7, steep[1:, k])
                put(inner, k, inner * 4 - 1, steep[:-1, k])
                put(inner, 3, inner * 4 + k, -KAPPA * h * VALENCE[k])
            put(inner, 3, inner * 4 + 3, 2.0 * PERMITTIVITY / h)
            put(inner, 3, inner * 4 + 7, -PERMITTIVITY / h)
            put(inner, 3, inner * 4 - 1, -PERMITTIVITY / h)
            for end, k in itertools.product((0, size - 1), range(count)):
                ab[7, end * 4 + k] = 1.0
            change = solve_banded((7, 7), ab, -r.ravel(), overwrite_ab=True, check_finite=False).reshape(size, count)
            largest = np.abs(change[:, 3]).max()
            u = u + min(1.0, 2.0 / largest) * change if largest > 0 else u
            if largest < TOLERANCE:
                flux = g * (ahead * u[:-1, :3] - back * u[1:, :3])
                return u, PER_FLUX * float(flux[size // 2] @ VALENCE)
        raise RuntimeError("not converged")

    return _outward(newton, start)


def _outward(newton, start):
    """Currents at all voltages, each from the solution beside it, from the middle to both ends."""
    found, middle = np.zeros(len(VOLTS)), len(VOLTS) // 2
    at_rest, found[middle] = newton(start, VOLTS[middle])
    for way in (range(middle + 1, len(VOLTS)), range(middle - 1, -1, -1)):
        u = at_rest
        for i in way:
            u, found[i] = newton(u, VOLTS[i])
    return found


def banded(quick: bool) -> Iterator[Row]:
    """Newton's method with LAPACK's banded solver, assembled in numpy."""
    for size in (100, 1000) if quick else (100, 1000, 10000):
        timing = measure(lambda size=size: banded_currents(size), runs=2 if quick or size > 5000 else 5)
        yield row("scipy banded Newton", size, timing, 0.0, banded_currents(size))


def devsim(quick: bool) -> Iterator[Row]:
    """DEVSIM's Newton's method on the same nodes, with its own assembly and derivatives."""
    for size in (100, 1000) if quick else (100, 1000, 10000):
        with _silenced():
            sweep = _device(size)
            timing = measure(sweep, runs=2 if quick or size > 5000 else 5)
            found = sweep()
        yield row("DEVSIM", size, timing, 0.0, found)


@contextmanager
def _silenced():
    """DEVSIM's solver writes to the standard output of the process, whatever it is told."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _device(size: int):
    os.environ.setdefault("DEVSIM_MATH_LIBS", "libopenblas.so.0")  # Debian's libopenblas0-pthread
    import devsim as ds

    name, region = f"device{size}", "pore"
    x = nodes(size)
    ds.create_1d_mesh(mesh=name)
    for i, place in enumerate(x):
        ds.add_1d_mesh_line(mesh=name, pos=place, ps=x[1] - x[0], tag=f"t{i}")
    ends = {"inside": (f"t{0}", INSIDE), "outside": (f"t{size - 1}", OUTSIDE)}
    for end, (tag, _) in ends.items():
        ds.add_1d_contact(mesh=name, name=end, tag=tag, material="bath")
    ds.add_1d_region(mesh=name, material="water", region=region, tag1="t0", tag2=f"t{size - 1}")
    ds.finalize_mesh(mesh=name)
    ds.create_device(mesh=name, device=name)
    where = {"device": name, "region": region}
    variables = ("Potential", *_NAMES)
    for variable in variables:
        ds.node_solution(name=variable, **where)
        ds.edge_from_node_model(node_model=variable, **where)
    ds.node_solution(name="Fixed", **where)
    ds.set_node_values(name="Fixed", values=list(fixed(x)), **where)

    def edge(model, equation, by):
        ds.edge_model(name=model, equation=equation, **where)
        for variable in by:
            for end in ("@n0", "@n1"):
                ds.edge_model(
                    name=f"{model}:{variable}{end}", equation=f"simplify(diff({equation}, {variable}{end}))", **where
                )

    def node(model, equation, by):
        ds.node_model(name=model, equation=equation, **where)
        for variable in by:
            ds.node_model(name=f"{model}:{variable}", equation=f"simplify(diff({equation}, {variable}))", **where)

    edge("Field", f"{PERMITTIVITY}*(Potential@n0-Potential@n1)*EdgeInverseLength", ("Potential",))
    node("Charge", f"-{KAPPA}*(K+Na-Cl+Fixed)", _NAMES)
    ds.equation(name="Poisson", variable_name="Potential", edge_model="Field", node_model="Charge", **where)
    for ion, z, d in zip(_NAMES, VALENCE, DIFFUSION, strict=True):
        rise = f"({z}*(Potential@n1-Potential@n0))"
        law = f"{d}*EdgeInverseLength*(B({rise})*{ion}@n0-B(-{rise})*{ion}@n1)"
        edge(f"Flux{ion}", law, ("Potential", ion))
        ds.equation(name=f"Flow{ion}", variable_name=ion, edge_model=f"Flux{ion}", variable_update="positive", **where)
    for end, (_, concentrations) in ends.items():
        ds.set_parameter(device=name, name=f"{end}_bias", value=0.0)
        held = {"Potential": f"{end}_bias"} | dict(zip(_NAMES, map(str, concentrations), strict=True))
        for variable, value in held.items():
            model = f"{end}_{variable}"
            ds.contact_node_model(device=name, contact=end, name=model, equation=f"{variable}-{value}")
            ds.contact_node_model(device=name, contact=end, name=f"{model}:{variable}", equation="1")
            flux = "Poisson" if variable == "Potential" else f"Flow{variable}"
            current = {} if variable == "Potential" else {"edge_current_model": f"Flux{variable}"}
            ds.contact_equation(device=name, contact=end, name=flux, node_model=model, **current)

    start = np.linspace(INSIDE, OUTSIDE, size)
    start[:, 0] = np.maximum(start[:, 0] - fixed(x), 1e-3)
    start[:, 1] = np.maximum(start[:, 1], 1e-3)

    def at(u, v):
        for variable, values in zip(variables, u.T, strict=True):
            ds.set_node_values(name=variable, values=list(values), **where)
        ds.set_parameter(device=name, name="inside_bias", value=v / UNIT)
        ds.solve(type="dc", absolute_error=1e30, relative_error=TOLERANCE, maximum_iterations=60)
        u = np.stack([ds.get_node_model_values(name=variable, **where) for variable in variables], 1)
        flux = [ds.get_edge_model_values(name=f"Flux{ion}", **where)[size // 2] for ion in _NAMES]
        return u, PER_FLUX * float(np.asarray(flux) @ VALENCE)

    return lambda: _outward(at, np.concatenate([np.zeros((size, 1)), start], 1))
