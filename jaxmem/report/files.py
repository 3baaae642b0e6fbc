"""Files that are either written whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from ..plot.style import RC
from ..results import InputError


def folder(path: str | os.PathLike) -> Path:
    """The folder, made if it is not there, with a test that it can be written to.

    **Raises:** `InputError` if it cannot be made, is a file, or cannot be written.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except FileExistsError:
        raise InputError(f"{path}: must be a folder, but is a file; give another --out") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); give another --out") from None
    return path


def claim(path: str | os.PathLike, names: Iterable[str], ours: Callable[[Path], bool]) -> Path:
    """The folder, unless it holds files that would be overwritten and are not from an earlier run of the same job.

    **Arguments:** `names`: of the files, or patterns such as `*.png`; `ours`: whether a folder that holds some is from
    an earlier run.
    **Raises:** `InputError`, with nothing touched.
    """
    place = Path(path)
    found = sorted({file.name for name in names for file in place.glob(name)}) if place.is_dir() else []
    if found and not ours(place):
        listed = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
        raise InputError(f"{place}: already holds {listed}, which would be overwritten; give another --out")
    return folder(place)


def write(path: Path, content: bytes | str) -> Path:
    """Writes a file under another name beside it and renames it, so that a reader never sees half of it.

    **Raises:** `InputError` if it cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    return path


def png(figure: Figure, dpi: float = 170.0) -> bytes:
    """A figure as the bytes of a PNG file."""
    with mpl.rc_context(RC), BytesIO() as buffer:  # type: ignore[arg-type]
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()
