"""A TOML file as a table that knows where it stands."""

import os
import tomllib
from pathlib import Path

from ..results import InputError
from .table import Table

LARGEST = 1_000_000  # bytes


def from_file(path: str | os.PathLike) -> Table:
    """The document of a TOML file.

    **Raises:** `InputError` if it cannot be read, is too large, or is not TOML in UTF-8.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or type(error).__name__}); check the path") from None
    if size > LARGEST:
        raise InputError(f"{path}: must be smaller than {LARGEST} bytes, but has {size}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: must be text in UTF-8, but byte {error.start} is not; save it as UTF-8") from None
    return from_text(text, str(path))


def from_text(text: str, name: str) -> Table:
    """The document of a TOML text; `name` is what error messages call it.

    **Raises:** `InputError` if it is not TOML.
    """
    try:
        return Table(name, "", tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:160] or "nested too deeply"
        raise InputError(f"{name}: must be TOML, but is not: {reason}") from None
