"""The frame around every reader: a file that cannot be parsed is one line, whatever the parser raised."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from jaxmem.results import InputError

LARGEST_FILE = 2**31  # bytes
LARGEST_ARRAY = 2**28  # values; 2 GiB as float64


@contextlib.contextmanager
def parsing(path: str | os.PathLike, kind: str) -> Iterator[None]:
    """Turns whatever a parser raises, or warns about, into one `InputError` that names the file.

    Only the parsing of bytes belongs inside; what the numbers mean is judged outside, with better words.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or "no reason given"
        raise InputError(
            f"{path}: not a readable {kind} file ({type(error).__name__}: {reason}); it may be damaged or incomplete, "
            "so copy or export it again"
        ) from None


def size_of(path: str | os.PathLike) -> int:
    """The size of a file [bytes].

    **Raises:** `InputError` if it does not exist, is not a file, is empty, unreadable or larger than 2 GiB.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise InputError(f"{path}: no such file" if not file.exists() else f"{path}: is not a file")
        size = file.stat().st_size
        with file.open("rb"):
            pass
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be opened ({error})") from None
    if size == 0:
        raise InputError(f"{path}: is empty")
    if size > LARGEST_FILE:
        raise InputError(f"{path}: has {size} bytes, more than the {LARGEST_FILE} that are read at once; split it")
    return size
