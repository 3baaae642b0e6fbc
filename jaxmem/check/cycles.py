"""Cycles of states with constant rates: steady state, fluxes, entropy production, trees, eigenvalues."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .. import kinetics, units
from ..rates import Constant
from ..results import InputError
from . import fields, spectrum
from .fields import REMARKS
from .row import Row, judge, not_covered

TEMPERATURE = 298.15  # [K]; constant rates do not depend on it
ZERO = 1e-12  # what passes for zero, in terms of the largest rate or one-way flux

Number = float | complex
Reading = tuple[str, Number | None, Number, float]  # quantity, expected, got, what passes for zero


def recognizes(data: dict[str, Any]) -> bool:
    """Whether some case has `edges_i_j_kf_kr` among its parameters."""
    cases = data.get("cases")
    several = [cases] if isinstance(cases, dict) else cases if isinstance(cases, list) else []
    parameters = [case.get("parameters") for case in several if isinstance(case, dict)]
    return any("edges_i_j_kf_kr" in found for found in parameters if isinstance(found, dict))


def rows(data: dict[str, Any]) -> Iterator[Row]:
    """One row for each quantity of each cycle."""
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        expected = fields.table(case.get("expected"), f"expected of {name}")
        parameters = fields.table(case.get("parameters"), f"parameters of {name}")
        cycle = _cycle(parameters, name) if parameters.get("edges_i_j_kf_kr") is not None else None
        for quantity, value in expected.items():
            if cycle is not None and quantity in _READINGS and value is not None:
                read, words = _READINGS[quantity]
                for label, wanted, got, zero in read(cycle, quantity, value, f"{quantity} of {name}"):
                    yield judge(name, label, wanted, got, fields.within(name, case, data, of=words, zero=zero))
            elif quantity not in REMARKS:
                yield not_covered(name, quantity, value)


class _Cycle(eqx.Module):
    """What a scheme of constant rates gives in its steady state, in 1/s; trees in the unit of the case."""

    scheme: kinetics.Scheme
    p: Float[Array, " states"]
    flux: Float[Array, " edges"]
    entropy: Float[Array, ""]
    trees: Float[Array, ""]
    eigenvalues: Complex[Array, " states"]
    largest_rate: Float[Array, ""]
    largest_flux: Float[Array, ""]


@eqx.filter_jit
def _solve(scheme: kinetics.Scheme, unit: Float[Array, ""]) -> _Cycle:
    v = jnp.zeros(())
    q = kinetics.generator(scheme, v, TEMPERATURE)
    p = kinetics.stationary(q)
    return _Cycle(
        scheme=scheme,
        p=p,
        flux=1e3 * kinetics.edge_flux(scheme, p, v, TEMPERATURE),
        entropy=1e3 * kinetics.entropy_production(scheme, p, v, TEMPERATURE),
        trees=kinetics.spanning_tree_sum(unit * q),
        eigenvalues=-1e3 * kinetics.relaxation_rates(q),
        largest_rate=1e3 * jnp.max(q),
        largest_flux=1e3 * jnp.max(p[:, None] * q),
    )


def _cycle(parameters: Mapping[str, Any], name: str) -> _Cycle:
    states = fields.whole(fields.need(parameters, "n_states", f"parameters of {name}"), f"n_states of {name}")
    if not 2 <= states <= 1000:
        raise InputError(f"n_states of {name} must be between 2 and 1000, but is {states}.")
    where = f"edges_i_j_kf_kr of {name}"
    try:
        unit = units.factor("1/ms", str(parameters.get("units") or "1/s"))
        edges = {}
        for edge in fields.rows_of(parameters["edges_i_j_kf_kr"], where):
            entry = fields.rows_of(edge, where)
            if len(entry) != 4:
                raise InputError(f"{where} must hold [i, j, forward rate, backward rate], but one has {len(entry)}.")
            pair = (str(fields.whole(entry[0], where)), str(fields.whole(entry[1], where)))
            forward, backward = (fields.number(rate, where) for rate in entry[2:])
            if min(forward, backward) < 0.0:
                raise InputError(
                    f"{where} must hold rates that are not negative, but one is {min(forward, backward):g}."
                )
            if pair in edges:
                raise InputError(f"{where} must join two states once, but joins {pair[0]} and {pair[1]} twice.")
            edges[pair] = (Constant(forward / unit), Constant(backward / unit))
        scheme = kinetics.scheme(edges, states=tuple(str(k + 1) for k in range(states)))
    except InputError:
        raise
    except ValueError as problem:
        raise InputError(f"{name}: {problem}") from None
    return _solve(scheme, jnp.asarray(unit))


def _occupancies(cycle: _Cycle, quantity: str, value: Any, where: str) -> Iterator[Reading]:
    wanted = fields.rows_of(value, where)
    if len(wanted) != len(cycle.p):
        raise InputError(f"{where} must have one value for each of the {len(cycle.p)} states, but has {len(wanted)}.")
    for k, p in enumerate(wanted):
        yield f"{quantity}[{k + 1}]", fields.optional(p, where), float(cycle.p[k]), ZERO


def _fluxes(cycle: _Cycle, quantity: str, value: Any, where: str) -> Iterator[Reading]:
    names = [tuple(cycle.scheme.states[k] for k in edge) for edge in cycle.scheme.edges]
    for label, wanted in fields.table(value, where).items():
        pair = tuple(part.strip() for part in label.split("-"))
        if pair in names:
            got = float(cycle.flux[names.index(pair)])
        elif pair[::-1] in names:
            got = -float(cycle.flux[names.index(pair[::-1])])
        else:
            raise InputError(f"{where} must name edges of the case, but names '{label}'.")
        yield f"{quantity}[{label}]", fields.optional(wanted, where), got, ZERO * float(cycle.largest_flux)


def _entropy(cycle: _Cycle, quantity: str, value: Any, where: str) -> Iterator[Reading]:
    yield quantity, fields.number(value, where), float(cycle.entropy), ZERO * float(cycle.largest_flux)


def _spanning_trees(cycle: _Cycle, quantity: str, value: Any, where: str) -> Iterator[Reading]:
    yield quantity, fields.number(value, where), float(cycle.trees), 0.0


def _eigenvalues(cycle: _Cycle, quantity: str, value: Any, where: str) -> Iterator[Reading]:
    wanted = spectrum.parse(value, where)
    if len(wanted) != len(cycle.p):
        raise InputError(f"{where} must have one value for each of the {len(cycle.p)} states, but has {len(wanted)}.")
    for k, (eigenvalue, got) in enumerate(zip(wanted, spectrum.paired(wanted, cycle.eigenvalues), strict=True)):
        yield (
            f"{quantity}[{k + 1}]",
            _plain(eigenvalue),
            _plain(got),
            ZERO * float(cycle.largest_rate),
        )


def _plain(x: complex) -> float | complex:
    return x if x.imag else x.real


#: What a quantity is computed by, and what it is called in the tolerances of a case.
_READINGS: dict[str, tuple[Callable[[_Cycle, str, Any, str], Iterator[Reading]], tuple[str, ...]]] = {
    "p_ss": (_occupancies, ("p_ss",)),
    "edge_net_flux_per_s": (_fluxes, ("edge_flux_per_s", "edge_net_flux_per_s")),
    "entropy_production_per_kB_per_s": (_entropy, ("entropy_production_per_kB_per_s", "entropy_production")),
    "spanning_tree_sum": (_spanning_trees, ("spanning_tree_sum",)),
    "eigenvalues_per_s": (_eigenvalues, ("eigenvalues", "eigenvalues_per_s")),
}
