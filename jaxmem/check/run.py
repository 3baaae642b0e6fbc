"""From files to rows."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

import jax.numpy as jnp

from ..results import InputError
from . import (
    barriers,
    block,
    closed_forms,
    cressman,
    cycles,
    fields,
    gating,
    gramicidin,
    hubel_dahlem,
    hubel_ullah,
    pnp,
    pump_leak,
    pump_leak_curve,
    saetra,
    thermodynamics,
    transporters,
    wei,
)
from .points import Question, answer
from .row import Row, not_covered


class Format(Protocol):
    """What a module of this package offers: one format of files of cases."""

    @staticmethod
    def recognizes(data: dict[str, Any]) -> bool:
        """Whether the keys of a file are those of the format."""
        ...

    @staticmethod
    def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
        """One row for each quantity of the file, or the question that becomes one."""
        ...


FORMATS: tuple[Format, ...] = (
    thermodynamics,
    cycles,
    gating,
    barriers,
    closed_forms,
    gramicidin,
    block,
    transporters,
    pump_leak,
    pump_leak_curve,
    cressman,
    hubel_dahlem,
    hubel_ullah,
    wei,
    saetra,
    pnp,
)


def run(paths: Iterable[str | Path] = ()) -> list[Row]:
    """Recomputes every case of the files and of all `*.json` in the folders; without any, the shipped cases.

    **Raises:** `InputError` in float32, for a path that is not there, and for a file that is not JSON or
    whose fields are not those of its format.
    """
    if jnp.result_type(float) != jnp.float64:
        raise InputError(
            "The audit must run in float64, but jax is in float32; run jaxmem check, set JAX_ENABLE_X64=1, "
            'or call jax.config.update("jax_enable_x64", True) first.'
        )
    given = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    if given:
        return _audit([file for path in given for file in _below(path)])
    with as_file(files(__package__) / "cases") as folder:
        return _audit(_below(folder))


def _below(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*.json") if file.is_file())
        if not found:
            raise InputError(f"Folder {path} must hold files of cases, but has no *.json; name the files.")
        return found
    if not path.is_file():
        raise InputError(f"{path} must be a file of cases or a folder of such, but there is none; check the path.")
    return [path]


def _audit(paths: list[Path]) -> list[Row]:
    contents = [(path, fields.read(path)) for path in paths]
    return list(answer(found for path, data in contents for found in _found(path, data)))


def _found(path: Path, data: Any) -> list[Row | Question]:
    if isinstance(data, list) and data and all(isinstance(case, dict) for case in data):
        data = {"cases": data}
    kind = next((f for f in FORMATS if isinstance(data, dict) and f.recognizes(data)), None)
    if kind is None:
        return [not_covered(path.name, "file")]
    try:
        found = list(kind.rows(data))
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from None
    return [replace(one, case=f"{path.stem}: {one.case}") for one in found] or [not_covered(path.name, "file")]
