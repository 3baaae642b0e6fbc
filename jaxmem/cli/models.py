"""Models from the words of a command line: a name of the library, or a model file."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import library, modelfile
from ..electrochemistry import Bath
from ..modelfile import ModelFile
from ..results import InputError


@dataclass(frozen=True)
class Chosen:
    """A model and what to call it and its parts.

    `unit`: of its signal; `channels`: names of its mechanisms; `gates`: names of its gates, in their order.
    """

    file: ModelFile
    name: str
    unit: str
    channels: tuple[str, ...]
    gates: tuple[str, ...]

    @property
    def model(self) -> Any:
        """The model with the file's values."""
        return self.file.model

    @property
    def file_name(self) -> str:
        """The model's name as a part of a file's: letters, digits and -_. stay."""
        return re.sub(r"[^\w.-]+", "_", self.name).strip("._")[:60] or "model"


def load(word: str) -> Chosen:
    """The model that a word names: a TOML file, or a model of the library.

    **Raises:** `InputError` if there is none, or the file is not a model.
    """
    if word in library.MODELS:
        return describe(modelfile.loads(library.text(word), word))
    path = Path(word)
    if path.suffix.lower() == ".toml" or path.is_file():
        if path.is_file() and path.suffix.lower() != ".toml":
            raise InputError(f"{word}: a model file must end in .toml")
        return describe(modelfile.load(path))
    library.load(word)  # says which names there are
    raise InputError(f"{word}: must be a model file (.toml) or one of {', '.join(library.MODELS)}")


def suits(options: argparse.Namespace, chosen: Chosen) -> None:
    """Refuses ions for a model that names none, which they would not change.

    **Raises:** `InputError`.
    """
    if options.bath and not chosen.file.species:
        raise InputError(
            f"--bath: the model '{chosen.name}' names no ion, so concentrations change nothing; leave --bath out, or "
            'give the model file a species = "K" instead of a reversal'
        )


def supplied(chosen: Chosen, conditions: Bath) -> Bath:
    """The conditions, if they hold every ion that the model names.

    **Raises:** `InputError`.
    """
    missing = [s.name for s in chosen.file.species if s not in conditions]
    if missing:
        raise InputError(
            f"{chosen.name}: the bath must hold {', '.join(missing)}, which the model names; write --bath "
            f"{missing[0]}=INSIDE|OUTSIDE, or add it to [bath] of the model file"
        )
    return conditions


def describe(file: ModelFile) -> Chosen:
    """A model file with the names and the unit that its document gives."""
    document = file.document
    channels = document.get("channels") or {"channel": document}
    names = [*channels, *(["leak"] if "leak" in document else [])]
    many = len(channels) > 1
    gates = [
        f"{channel} {gate}" if many else gate
        for channel, table in channels.items()
        for gate in table.get("gating", {}).get("gates", {})
    ]
    return Chosen(file, file.name, file.unit, tuple(names), tuple(gates))
