"""A model file as a whole: reading it, building its model, writing it again."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..channel import Channel
from ..electrochemistry import Bath, Species
from ..gating import AlwaysOpen
from ..library.hodgkin_huxley_1952 import Conductance
from ..permeation import GHK, Ohmic
from ..results import InputError
from .laws import SPECIES, read_gating, read_species
from .parameters import Build, Parameters, Specification, Values, read_parameters
from .table import CONDUCTANCES, OWN_UNIT, Table
from .write import written

if TYPE_CHECKING:
    from ..fit import Free

LARGEST = 1_000_000  # bytes
#: The unit of a current, from what a conductance is; it follows from jaxmem's own units.
CURRENTS = {"conductance": "pA", "conductance density": "uA/cm2", "capacity-normalized conductance": "pA/pF"}


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model with names for its parameters.

    **Arguments:** `name`, `description`, `doi`; `model`: a `Channel`, or a tuple of mechanisms, with the
    file's values; `bath`: conditions of the file, a `Bath` (without species if it gives a temperature only)
    or None; `source`: the file.
    """

    name: str
    description: str
    doi: str
    model: Any
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
    def unit(self) -> str:
        """The unit of the model's signal."""
        return _signals(Table(self.source, "", dict(self.document)), self.parameters)[0][2]

    @property
    def species(self) -> tuple[Species, ...]:
        """The ions whose concentrations the model depends on."""
        return tuple(dict.fromkeys(species for species, _ in _named(self.model)))

    def build(self, values: Values) -> Any:
        """The model with some parameters changed: `values` by name, in jaxmem's units, may be traced."""
        for name in values:
            if name not in self.parameters.known or self.parameters.known[name].tie is not None:
                raise InputError(f"{self.source}: '{name}' is not a parameter of its own; they are {self._own()}")
        return self._build(self.parameters.complete(values))

    def _own(self) -> str:
        return ", ".join(s.name for s in self.specifications if s.tie is None) or "none"

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
    path = Path(path)
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or type(error).__name__}); check the path") from None
    if size > LARGEST:
        raise InputError(f"{path}: a model file must be smaller than {LARGEST} bytes, but has {size}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: must be text in UTF-8, but byte {error.start} is not; save it as UTF-8") from None
    return loads(text, str(path))


def loads(text: str, name: str = "model.toml") -> ModelFile:
    """The model of a TOML text; `name` is what error messages call it.

    **Raises:** `InputError`.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:160] or "nested too deeply"
        raise InputError(f"{name}: must be TOML, but is not: {reason}") from None
    return _read(Table(name, "", document))


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
        channels = [
            _channel(entry.only("gating", "permeation"), parameters) for _, entry in root.table("channels").items()
        ]
        if not channels:
            root.fail("must hold at least one channel", "channels")
    else:
        channels = [_channel(root, parameters)]
    if "leak" in root:
        channels.append(_leak(root.table("leak"), parameters))
    _check_alike(root, parameters)
    bath = _bath(root.table("bath")) if "bath" in root else None
    limits = _limits(root.table("rate_limits")) if "rate_limits" in root else None
    parameters.check_all_used()

    def build(values: Values) -> Any:
        built = tuple(channel(values) for channel in channels)
        return built if len(built) > 1 else built[0]

    try:
        model = build(parameters.complete({}))
    except InputError:
        raise
    except (ValueError, KeyError) as error:  # the structure of the scheme: connected, cycles closed
        message = str(error.args[0] if error.args else error)
        root.fail(message[:1].lower() + message[1:], "gating")
    _check_species(root, model, bath)
    return ModelFile(
        root.text("name", Path(root.file).stem),
        root.text("description", ""),
        root.text("doi", ""),
        model,
        bath,
        root.file,
        root.data,
        parameters,
        limits,
        build,
    )


def _channel(table: Table, parameters: Parameters) -> Build:
    permeation = _permeation(table.table("permeation"), parameters)
    gating = read_gating(table.table("gating"), parameters)
    return lambda values: Channel(gating(values), permeation(values))


def _leak(table: Table, parameters: Parameters) -> Build:
    table.only("g", "reversal")
    g = parameters.argument(table, "g", *CONDUCTANCES, positive=True)
    reversal = parameters.argument(table, "reversal", "potential")
    return lambda values: Channel(AlwaysOpen(), Ohmic(g(values), reversal=reversal(values)))


def _signals(root: Table, parameters: Parameters) -> list[tuple[Table, str, str]]:
    """The table of every mechanism, what its signal measures, in words, and the signal's unit."""
    entries = [entry for _, entry in root.table("channels").items()] if "channels" in root else [root]
    tables = [entry.table("permeation") for entry in entries] + ([root.table("leak")] if "leak" in root else [])
    return [(table, *_signal(table, parameters)) for table in tables]


def _signal(table: Table, parameters: Parameters) -> tuple[str, str]:
    if "permeability" in table:
        return "current", "pA"
    given = table["g"].strip() if isinstance(table["g"], str) else None
    known = parameters.known.get(given) if given else None
    dimension = (table.quantity("g", *CONDUCTANCES) if known is None else known.quantity).dimension
    if table.data.get("kind") == "conductance":
        return dimension, OWN_UNIT[dimension]
    return dimension.replace("conductance", "current"), CURRENTS[dimension]


def _check_alike(root: Table, parameters: Parameters) -> None:
    """Signals of mechanisms are added, so they must be of one kind."""
    (first, kind, unit), *others = _signals(root, parameters)
    for table, other, its in others:
        if other != kind:
            table.fail(
                f"gives a {other} ({its}), but {first.place} a {kind} ({unit}), and these are added; write the "
                "conductances in units of one kind",
                "g" if "g" in table else None,
            )


def _permeation(table: Table, parameters: Parameters) -> Build:
    kind = table.choice("kind", ("ohmic", "ghk", "conductance"), "ohmic")
    if kind == "ghk":
        entries = table.only("kind", "permeability").table("permeability")
        if not entries.data:
            table.fail('must name at least one species, such as { K = "P" }', "permeability")
        for name in entries.data:
            Table(table.file, entries.place, {"species": name}).choice("species", tuple(SPECIES))
        species = tuple(SPECIES[name] for name in entries.data)
        p = [parameters.argument(entries, s.name, "permeability times area", positive=True) for s in species]

        def ghk(values):
            import jax.numpy as jnp

            dtype = jnp.result_type(float)
            return GHK(jnp.stack([jnp.asarray(x(values), dtype) for x in p]), species)

        return ghk
    g = parameters.argument(table, "g", *CONDUCTANCES, positive=True)
    if kind == "conductance":
        table.only("kind", "g")
        return lambda values: Conductance(g(values))
    table.only("kind", "g", "reversal", "species")
    if ("reversal" in table) == ("species" in table):
        table.fail("must have either a 'reversal' potential or a 'species' that sets it, not both")
    if "species" in table:
        carried = read_species(table, "species")
        return lambda values: Ohmic(g(values), species=carried)
    reversal = parameters.argument(table, "reversal", "potential")
    return lambda values: Ohmic(g(values), reversal=reversal(values))


def _bath(table: Table) -> Bath:
    table.only("temperature", "inside", "outside")
    temperature = table.quantity("temperature", "temperature").value
    if not temperature > 0:
        table.fail(f"must be above absolute zero, but is {temperature:g} K; write '25 C' or '298 K'", "temperature")
    sides = []
    for side in ("inside", "outside"):
        entries = table.table(side).only(*SPECIES) if side in table else Table(table.file, side, {})
        sides.append({SPECIES[name]: entries.quantity(name, "concentration").value for name in entries.data})
        for species, c in sides[-1].items():
            if c < 0:
                entries.fail(f"must not be negative, but is {c:g} mM", species.name)
    return Bath(sides[0], sides[1], temperature)


def _limits(table: Table) -> tuple[float, float, float, float]:
    table.only("lower", "upper", "v_min", "v_max")
    lower, upper = (table.quantity(key, "1/time").value for key in ("lower", "upper"))
    v_min, v_max = (table.quantity(key, "potential").value for key in ("v_min", "v_max"))
    if not 0 < lower < upper:
        table.fail(f"must be positive and below 'upper', but {lower:g} and {upper:g} /ms are given", "lower")
    if not v_min < v_max:
        table.fail(f"must be below 'v_max', but {v_min:g} and {v_max:g} mV are given", "v_min")
    return lower, upper, v_min, v_max


def _check_species(root: Table, model: Any, bath: Bath | None) -> None:
    """Every species that the model names must be on both sides of the bath (for a binding, on its side)."""
    for species, side in _named(model):
        if bath is None or species not in getattr(bath, side):
            root.fail(f'must give {species.name}; add {side} = {{ {species.name} = "1 mM" }}', "bath")


def _named(model: Any) -> list[tuple[Species, str]]:
    """Every species that a model names, with the sides of the membrane on which it counts."""
    import jax

    from ..rates import Binding

    is_part = lambda x: isinstance(x, (Ohmic, GHK, Binding))
    needs = []
    for part in filter(is_part, jax.tree.leaves(model, is_leaf=is_part)):
        if isinstance(part, Binding):
            needs.append((part.species, "inside" if part.inside else "outside"))
            continue
        named = part.species if isinstance(part.species, tuple) else (part.species,) if part.species else ()
        needs += [(s, side) for s in named for side in ("inside", "outside")]
    return needs


def dumps(model_file: ModelFile, values: Mapping[str, float] | None = None) -> str:
    """The file again, with new values: loading it gives the same numbers, bit for bit.

    **Arguments:** `values`: by name, in jaxmem's units; parameters that are not named keep theirs.
    **Raises:** `InputError` for a name that is not a parameter, is tied, or a value that is not finite.
    """
    return written(model_file.document, model_file.parameters.known, values or {}, model_file.source)
