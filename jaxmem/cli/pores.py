"""A pore as a TOML file: its segments, its ions, its baths, what varies. Parsed, never evaluated."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .. import electrodiffusion, sweep
from ..electrochemistry import Bath, Solution, Species
from ..modelfile.document import from_file
from ..modelfile.laws import SPECIES
from ..modelfile.table import Table
from ..params import parameters, positive
from ..permeation import PorePNP
from ..results import InputError
from .varying import Variable, number, read_varied, way

KEYS = (
    "temperature", "shape", "area", "access", "nodes", "voltage", "concentration", "profiles", "species", "segments",
    "bath", "design", "lanes", "seed", "vary",
)  # fmt: skip
SEGMENT = ("length", "radius", "fixed_charge", "wall_charge", "permittivity", "diffusion", "partition")
CONCENTRATION = "concentration"
MOST_NODES, MOST_LANES = 20_000, 1_000_000


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What is computed, and of what.

    **Arguments:** `function`: of the settings; `varied`: which settings; `law`, `bath`: those of the file; `units`: of
    the results; `profiles`: whether potential and concentrations of every lane are kept.
    """

    function: Callable[[Any], dict[str, Any]]
    varied: sweep.Varied
    law: PorePNP
    bath: Bath
    units: dict[str, str]
    profiles: bool


def scenario(path: str) -> Scenario:
    """The pore that a file describes and what varies of it.

    **Raises:** `InputError`, one line that names the file, the place and the remedy.
    """
    root = from_file(path).only(*KEYS)
    law, conditions = _law(root), _bath(root)
    missing = [s.name for s in law.species if s not in conditions.species]
    if missing:
        root.fail(f"must give {', '.join(missing)}, which the pore holds; zero will do", "bath")
    try:
        law.check(conditions)
    except InputError as error:
        root.fail(str(error), "bath")
    ion, side = _scaled(root, conditions)
    settings = {
        "cell": law.pore,
        "voltage": jnp.asarray(number(root, "voltage", "mV") if "voltage" in root else 0.0),
        "concentration": jnp.asarray(1.0) if ion is None else conditions[ion][0 if side == "inside" else 1],
    }
    known = {"voltage": Variable(lambda s: s["voltage"], "mV")}
    if ion is not None:
        known[CONCENTRATION] = Variable(lambda s: s["concentration"], "mM", positive)
    known |= {e.path: Variable(way(e.path), e.unit, e.domain) for e in parameters(law.pore)}
    if CONCENTRATION in (root.table("vary").data if "vary" in root else {}) and ion is None:
        root.fail("must say whose, such as concentration = { of = 'K', side = 'both' }", CONCENTRATION)
    if "vary" not in root:
        root.fail("must say what varies; add [vary.voltage] with from, to and count", "vary")
    varied = read_varied(root, settings, known)
    if varied.lanes > MOST_LANES:
        root.fail(f"must be at most {MOST_LANES} pores, but they are {varied.lanes}; use jaxmem.sweep", "vary")
    profiles = root.flag("profiles", True)

    def function(settings: dict[str, Any]) -> dict[str, Any]:
        bath = conditions if ion is None else _at(conditions, ion, side, settings["concentration"])
        found = eqx.tree_at(lambda m: m.pore, law, settings["cell"]).profile(settings["voltage"], bath)
        results = {"current": found.current}
        results |= {f"current_{s.name}": found.currents[k] for k, s in enumerate(law.species)}
        results |= {"steps": found.steps, "spread": found.spread, "result": found.result}
        if profiles:
            results |= {"x": found.x, "potential": found.potential}
            results |= {f"c_{s.name}": found.concentrations[k] for k, s in enumerate(law.species)}
        return results

    names = [s.name for s in law.species]
    units = {"current": "pA", **{f"current_{name}": "pA" for name in names}}
    if profiles:
        units |= {"x": "nm", "potential": "mV", **{f"c_{name}": "mM" for name in names}}
    return Scenario(function, varied, law, conditions, units, profiles)


def _law(root: Table) -> PorePNP:
    ions: dict[Species, Table] = {}
    for name, table in root.table("species").only(*SPECIES).items():
        ions[SPECIES[name]] = table.only("diffusion", "bulk")
    if not ions:
        root.fail("must name at least one ion, such as [species.K] with its diffusion", "species")
    whole = {s: number(table, "diffusion", "nm2/ns") for s, table in ions.items()}
    segments = [table.only(*SEGMENT) for table in root.tables("segments")]
    shape = root.choice("shape", ("tube", "planar"), "tube")
    columns: dict[str, list[Any]] = {key: [] for key in SEGMENT}
    for table in segments:
        columns["length"].append(_value(table, "length", "nm"))
        columns["fixed_charge"].append(_value(table, "fixed_charge", "mM", 0.0))
        columns["wall_charge"].append(_value(table, "wall_charge", "e0/nm2", 0.0))
        columns["permittivity"].append(_value(table, "permittivity", "", 78.5))
        for key, unit, usual in (("diffusion", "nm2/ns", whole), ("partition", "", dict.fromkeys(ions, 1.0))):
            given = table.table(key).only(*(s.name for s in ions)) if key in table else Table(root.file, "", {})
            columns[key].append({s: _value(given, s.name, unit, usual[s]) for s in ions})
        if shape == "tube":
            columns["radius"].append(_radii(table))
        elif "radius" in table or "wall_charge" in table:
            table.fail("belongs to a tube, but the shape is planar; give the pore an `area`", "radius")
    per_ion = lambda key: {s: [row[s] for row in columns[key]] for s in ions}
    area = _area(root) if shape == "planar" else None
    try:
        pore = electrodiffusion.Pore(
            columns["length"], per_ion("diffusion"), partition=per_ion("partition"),
            fixed_charge=columns["fixed_charge"], wall_charge=columns["wall_charge"],
            permittivity=columns["permittivity"],
            radius=np.array(columns["radius"]) if shape == "tube" else None,
            shape=None if shape == "tube" else electrodiffusion.Planar(area),
        )  # fmt: skip
        access = None
        if root.flag("access", False):
            access = {s: _value(table, "bulk", "nm2/ns", whole[s]) for s, table in ions.items()}
            electrodiffusion.with_access(pore, access)
    except InputError as error:
        root.fail(str(error), "segments")
    nodes = root.whole("nodes", 3, MOST_NODES) if "nodes" in root else 257
    return PorePNP(pore, access=access, nodes=nodes)


def _value(table: Table, key: str, unit: str, usual: float | None = None) -> float:
    """A number of the file, or what it is without."""
    if key not in table and usual is not None:
        return usual
    return number(table, key, unit)


def _area(root: Table) -> float:
    """The area of a slab [nm2]."""
    value, _, unit = root.text("area").partition(" ")
    try:
        area = float(value)
    except ValueError:
        area = 0.0
    if unit != "nm2" or not 0.0 < area < np.inf:
        root.fail("must be a positive number such as '1 nm2'", "area")
    return area


def _radii(table: Table) -> tuple[float, float]:
    """The radii at both ends of a segment, from one number or two."""
    found = [number(one, place, "nm") for one, place in table.elements("radius")]
    if len(found) not in (1, 2):
        table.fail(f"must be one radius or those of both ends, but has {len(found)}", "radius")
    return found[0], found[-1]


def _bath(root: Table) -> Bath:
    kelvin = number(root, "temperature", "K") if "temperature" in root else 298.15
    if not kelvin > 0:
        root.fail(f"must be above absolute zero, but is {kelvin:g} K", "temperature")
    table = root.table("bath").only("inside", "outside")
    sides = []
    for side in ("inside", "outside"):
        ions = table.table(side).only(*SPECIES)
        sides.append({SPECIES[name]: number(ions, name, "mM") for name in ions.data})
        for species, c in sides[-1].items():
            if c < 0:
                ions.fail(f"must not be negative, but is {c:g} mM", species.name)
    return Bath(sides[0], sides[1], kelvin)


def _scaled(root: Table, bath: Bath) -> tuple[Species | None, str]:
    """The ion whose concentration is varied, all others on that side in proportion, and the side."""
    if CONCENTRATION not in root:
        return None, ""
    table = root.table(CONCENTRATION).only("of", "side")
    ion = SPECIES[table.choice("of", tuple(SPECIES))]
    side = table.choice("side", ("both", "inside", "outside"), "both")
    for place, solution in (("inside", bath.inside), ("outside", bath.outside)):
        if side in ("both", place) and not (ion in solution.species and float(solution[ion]) > 0):
            table.fail(f"must be in the bath {place}, which all of it is in proportion to, but is not", "of")
    return ion, side


def _at(bath: Bath, ion: Species, side: str, concentration: Any) -> Bath:
    """The bath with everything on a side, or on both, in proportion to the concentration of one ion."""
    change = lambda s: Solution({k: s[k] * (concentration / s[ion]) for k in s.species})
    inside = change(bath.inside) if side in ("both", "inside") else bath.inside
    outside = change(bath.outside) if side in ("both", "outside") else bath.outside
    return Bath(inside, outside, bath.temperature)
