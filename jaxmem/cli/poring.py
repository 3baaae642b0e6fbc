"""`jaxmem pore`: a pore at many voltages and concentrations, written as table, Zarr store and figures."""

import argparse
import importlib.util
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .progress import Progress
from .setting import prepare

if TYPE_CHECKING:
    from ..sweep import SweepResult
    from .pores import Scenario

CSV, STORE, RELATION, ALONG = "pore.csv", "pore.zarr", "current.png", "profile.png"
LINES = 8  # curves that a figure tells apart


def run(options: argparse.Namespace) -> int:
    """Solves the pore of a file for everything that varies. 1 if every lane failed."""
    prepare()
    from .. import sweep
    from ..report import files
    from .pores import scenario

    found = scenario(options.file)
    name = re.sub(r"[^\w.-]+", "_", Path(options.file).stem)
    folder = files.folder(options.out or f"jaxmem_pore_{name}")
    store = folder / STORE if importlib.util.find_spec("zarr") and importlib.util.find_spec("xarray") else None
    options.after_interrupt = f"; the same command goes on with {folder}" if store else ""
    progress = Progress("pore", quiet=options.quiet)
    try:
        result = sweep.run(
            found.function, found.varied, chunk=1024, block=64, store=store, units=found.units, progress=progress
        )
    finally:
        progress.close()
    written = [files.write(folder / CSV, _csv(found, result))]
    written += [store] if store else []
    written += [files.write(folder / each, files.png(figure)) for each, figure in _figures(found, result).items()]
    failed = sum(f.count for f in result.failures())
    if not options.quiet:
        print(result)
        print("wrote", *written, sep="\n  ")
    return int(failed == found.varied.lanes)


def _csv(found: "Scenario", result: "SweepResult") -> str:
    """A row for each lane: what varies, the currents, and how it ended."""
    from ..sweep.store import NAMES

    lanes = found.varied.lanes
    columns = [(f"{a.name} [{a.unit}]", found.varied.values(0, lanes)[:, k]) for k, a in enumerate(found.varied.axes)]
    for name in result.names:
        if name.startswith("current"):
            columns.append((f"{name} [{found.units[name]}]", np.reshape(result[name], lanes)))
    text = io.StringIO()
    text.write(",".join([*(name.removesuffix(" []") for name, _ in columns), "result"]) + "\n")
    for k, code in enumerate(np.reshape(result.codes, lanes)):
        text.write(",".join([*(f"{x[k]:.10g}" for _, x in columns), NAMES[code]]) + "\n")
    return text.getvalue()


def _figures(found: "Scenario", result: "SweepResult") -> dict[str, Any]:
    """The current against what varies, and what is along the pore where its current is largest."""
    current = np.reshape(np.asarray(result["current"], float), -1)
    if not np.isfinite(current).any():
        return {}
    figures = {RELATION: _relation(found, current)}
    if found.profiles:
        from .. import plot
        from ..electrodiffusion import Profile

        best = int(np.nanargmax(np.abs(current)))
        settings = found.varied.lane(best)
        at = lambda name: np.reshape(result[name], (current.size, -1))[best]
        species = found.law.species
        profile = Profile(
            x=at("x"), potential=at("potential"), concentrations=np.stack([at(f"c_{s.name}") for s in species]),
            flux=None, spread=None, displacement=None, charge=None, steps=None, result=None, species=species,
        )  # fmt: skip
        figures[ALONG] = plot.profile(profile, _resolved(found, settings), title=result.parameters(best))
    return figures


def _resolved(found: "Scenario", settings: Any) -> Any:
    import equinox as eqx

    return eqx.tree_at(lambda m: m.pore, found.law, settings["cell"]).resolved


def _relation(found: "Scenario", current: np.ndarray) -> Any:
    from .. import plot
    from ..plot.style import sweep_colors

    good = np.isfinite(current)
    axes, values, current = found.varied.axes, found.varied.values(0, current.size)[good], current[good]
    names = [a.name for a in axes]
    along = names.index("voltage") if "voltage" in names else 0
    others = [k for k in range(len(axes)) if k != along]
    groups: dict[tuple[float, ...], list[int]] = {}
    for lane, row in enumerate(values):
        groups.setdefault(tuple(row[others]), []).append(lane)
    shown = list(groups.items())[:: max(1, -(-len(groups) // LINES))]
    ax = None
    for (fixed, lanes), color in zip(shown, sweep_colors(len(shown)), strict=True):
        label = ", ".join(f"{axes[k].name} {x:.4g} {axes[k].unit}".rstrip() for k, x in zip(others, fixed, strict=True))
        at = np.array(lanes)[np.argsort(values[lanes, along])]
        ax = plot.current_voltage(values[at, along], current[at], ax, label=label, color=color)
    if ax is not None and names[along] != "voltage":
        ax.set_xlabel(f"{names[along]} ({axes[along].unit})")
    return ax.figure
