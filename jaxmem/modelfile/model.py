"""A model file as a whole: reading it, building its model, writing it again."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..channel import Channel
from ..electrochemistry import Bath, Species
from ..gating import AlwaysOpen
from ..results import InputError
from .bath import check_species, named, read_bath
from .document import from_file, from_text
from .gating import read_gating
from .parameters import Build, Parameters, Specification, Values, read_parameters
from .part import Part
from .permeation import read_leak, read_permeation
from .table import Table
from .write import written

if TYPE_CHECKING:
    from ..fit import Free


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model with names for its parameters.

    **Arguments:** `name`, `description`, `doi`; `model`: a `Channel`, or a tuple of mechanisms, with the
    file's values; `unit`: of the model's signal; `bath`: conditions of the file, a `Bath` (without species if it
    gives a temperature only) or None; `source`: the file.
    """

    name: str
    description: str
    doi: str
    model: Any
    unit: str
    bath: Bath | None
    source: str
    document: Mapping[str, Any]
    parameters: Parameters
    limits: tuple[float, float, float, float] | None
    _build: Build

    @property
    def specifications(self) -> tuple[Specification, ...]:
        """Every parameter in the order of the file: value, unit, bounds, free or tied."""
        return tuple(self.parameters.known.values())

    @property
    def values(self) -> dict[str, float]:
        """The value of every parameter, ties included, in jaxmem's units."""
        return self.parameters.complete({})

    @property
    def fixed(self) -> tuple[str, ...]:
        """The names of the parameters that a fit does not move, ties included."""
        return tuple(s.name for s in self.specifications if not s.free)

    @property
    def species(self) -> tuple[Species, ...]:
        """The ions whose concentrations the model depends on."""
        return tuple(dict.fromkeys(species for species, _ in named(self.model)))

    def build(self, values: Values) -> Any:
        """The model with some parameters changed: `values` by name, in jaxmem's units, may be traced."""
        for name in values:
            if name not in self.parameters.known or self.parameters.known[name].tie:
                raise InputError(f"{self.source}: '{name}' is not a parameter of its own; they are {self._own()}")
        return self._build(self.parameters.complete(values))

    def _own(self) -> str:
        return ", ".join(s.name for s in self.specifications if not s.tie) or "none"

    @property
    def free(self) -> "Free":
        """What a fit may move.

        **Raises:** `InputError` if every parameter is fixed.
        """
        from .freeing import free

        return free(self)


def load(path: str | os.PathLike) -> ModelFile:
    """The model of a TOML file.

    **Raises:** `InputError`, one line that names the file, the place and the remedy.
    """
    return _read(from_file(path))


def loads(text: str, name: str = "model.toml") -> ModelFile:
    """The model of a TOML text; `name` is what error messages call it.

    **Raises:** `InputError`.
    """
    return _read(from_text(text, name))


def _read(root: Table) -> ModelFile:
    root.only(
        "name",
        "description",
        "doi",
        "parameters",
        "gating",
        "permeation",
        "leak",
        "channels",
        "bath",
        "rate_limits",
    )
    table = root.table("parameters") if "parameters" in root else Table(root.file, "parameters", {})
    parameters = read_parameters(table)
    if "channels" in root:
        if "gating" in root or "permeation" in root:
            root.fail("must have either [channels.NAME.gating] or one [gating], not both", "channels")
        entries = [entry.only("gating", "permeation") for _, entry in root.table("channels").items()]
        if not entries:
            root.fail("must hold at least one channel", "channels")
    else:
        entries = [root]
    parts = [_channel(entry, parameters) for entry in entries]
    if "leak" in root:
        parts.append(_mechanism(read_leak(root.table("leak"), parameters), lambda values: AlwaysOpen(), parameters))
    _check_alike(parts)
    bath = read_bath(root.table("bath")) if "bath" in root else None
    limits = _limits(root.table("rate_limits")) if "rate_limits" in root else None
    parameters.check_all_used()

    def build(values: Values) -> Any:
        built = tuple(part.build(values) for part in parts)
        return built if len(built) > 1 else built[0]

    model = build(parameters.complete({}))
    check_species(root, model, bath)
    return ModelFile(
        root.text("name", Path(root.file).stem),
        root.text("description", ""),
        root.text("doi", ""),
        model,
        parts[0].unit,
        bath,
        root.file,
        root.data,
        parameters,
        limits,
        build,
    )


def _channel(table: Table, parameters: Parameters) -> Part:
    """A channel; one without a [gating] is always open."""
    permeation = read_permeation(table.table("permeation"), parameters)
    gating: Build = lambda values: AlwaysOpen()
    if "gating" in table:
        gating = read_gating(table.table("gating"), parameters)
        _try(table.table("gating"), gating, parameters)
    return _mechanism(permeation, gating, parameters)


def _mechanism(permeation: Part, gating: Build, parameters: Parameters) -> Part:
    _try(permeation.table, permeation.build, parameters)
    return replace(permeation, build=lambda values: Channel(gating(values), permeation.build(values)))


def _try(table: Table, build: Build, parameters: Parameters) -> None:
    """Builds with the file's values, so that what a constructor refuses is said with its place in the file."""
    try:
        build(parameters.complete({}))
    except InputError:
        raise
    except (ValueError, KeyError) as error:
        message = str(error.args[0] if error.args else error)
        table.fail(message[:1].lower() + message[1:])


def _check_alike(parts: list[Part]) -> None:
    """Signals of mechanisms are added, so they must be of one kind."""
    first, *others = parts
    for part in others:
        if part.signal != first.signal:
            part.table.fail(
                f"gives a {part.signal} ({part.unit}), but {first.table.place} a {first.signal} ({first.unit}), and "
                "these are added; write the conductances in units of one kind",
                "g" if "g" in part.table else None,
            )


def _limits(table: Table) -> tuple[float, float, float, float]:
    table.only("lower", "upper", "v_min", "v_max")
    lower, upper = (table.quantity(key, "1/time").value for key in ("lower", "upper"))
    v_min, v_max = (table.quantity(key, "potential").value for key in ("v_min", "v_max"))
    if not 0 < lower < upper:
        table.fail(f"must be positive and below 'upper', but {lower:g} and {upper:g} /ms are given", "lower")
    if not v_min < v_max:
        table.fail(f"must be below 'v_max', but {v_min:g} and {v_max:g} mV are given", "v_min")
    return lower, upper, v_min, v_max


def dumps(model_file: ModelFile, values: Mapping[str, float] | None = None) -> str:
    """The file again, with new values: loading it gives the same numbers, bit for bit.

    **Arguments:** `values`: by name, in jaxmem's units; parameters that are not named keep theirs.
    **Raises:** `InputError` for a name that is not a parameter, is tied, or a value that is not finite.
    """
    return written(model_file.document, model_file.parameters.known, values or {}, model_file.source)
