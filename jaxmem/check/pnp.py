"""Reference cases of Poisson-Nernst-Planck, by their kind; a file holds one case or several."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import fields, pnp_cells, pnp_junctions, pnp_layers, pnp_pores, pnp_times
from .pnp_case import Given, questions
from .pnp_solver import Batch
from .points import Question
from .row import Row, not_covered

KINDS: Mapping[str, Callable[[Given], Iterator[Row | Question]]] = {
    "ghk_exact": pnp_junctions.ghk_exact,
    "ghk_to_planck_crossover": pnp_junctions.crossover,
    "liquid_junction": pnp_junctions.liquid_junction,
    "teorell_meyer_sievers": pnp_junctions.membrane,
    "ideal_cation_selective_limit": pnp_junctions.limiting_current,
    "grahame": pnp_layers.grahame,
    "gouy_chapman_profile": pnp_layers.gouy_chapman,
    "donnan": pnp_layers.donnan_equilibrium,
    "bikerman_KBA2007": pnp_layers.bikerman,
    "membrane_capacitance_with_double_layers": pnp_layers.membrane_capacitance,
    "conical_pore_quasi1D": pnp_pores.cone,
    "bipolar_nanofluidic_diode_quasi1D": pnp_pores.diode,
    "ion_channel_with_baths_1d": pnp_pores.channel,
    "charge_conserving_PB": pnp_cells.charge_conserving,
    "blocking_cell_fixed_ion_number": pnp_cells.blocking,
    "debye_charging_linear": pnp_times.charging,
    "debye_charging_nonlinear": pnp_times.charging_far,
    "linear_modes_unequal_D": pnp_times.linear_modes,
    "junction_transient_PNP_vs_KNP": pnp_times.junction,
}


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the file, or one of its cases, is of a kind of these."""
    cases = data.get("cases")
    several = [data, *(cases if isinstance(cases, list) else [cases])]
    return any(isinstance(case, dict) and _kind(case) in KINDS for case in several)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each case, in closed form and from the solver."""
    several = fields.tables(data["cases"], "cases") if data.get("cases") is not None else [data]
    batch = Batch()
    for k, case in enumerate(several):
        name = fields.name_of(case, k, _kind(data) or f"case {k + 1}")
        kind = KINDS.get(_kind(case) or _kind(data) or "")
        if kind is None:
            yield not_covered(name, "case")
            continue
        yield from kind(Given(case, name, () if case is data else (data,), batch))
    if data.get("cases") is not None:
        yield from questions(Given(data, "file"), data, "file", {}, {"cases"})


def _kind(case: Mapping[str, Any]) -> str | None:
    found = case.get("kind")
    return found if isinstance(found, str) else None
