"""The progress of a fit on disk: written whole or not at all, read back to the same bits."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..results import InputError
from .problem import Evaluate, Problem
from .trust_region import Ending, Lane

FILE = "progress.npz"


def fingerprint(problem: Problem, settings: Any, x: np.ndarray) -> str:
    """A digest of everything that a lane's numbers depend on.

    Data, model, parameters and settings, the version of jax, and the loss at one point, which stands for
    what `place` and the code of the model do. The number of starts is not part of it: lanes do not depend on
    it.
    """
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(problem):
        array = np.asarray(leaf)
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes() if array.dtype != object else _said(leaf).encode())
    digest.update(repr((problem.free.parameters, problem.free.limits, settings, jax.__version__)).encode())
    digest.update(np.float64(Evaluate(problem).loss(x)).tobytes())
    return digest.hexdigest()


def _said(leaf: Any) -> str:
    """What stands for a leaf that is no array: a function's own name, as its place in memory is another in each run."""
    return f"{leaf.__module__}.{leaf.__qualname__}" if hasattr(leaf, "__qualname__") else repr(leaf)


class Store:
    """Starts and states of the lanes of one problem in a folder, or nowhere if `folder` is None.

    **Raises** `InputError` if the folder cannot be written, or holds another problem's progress or a damaged
    file.
    """

    def __init__(self, folder: str | os.PathLike | None, identity: str):
        self.identity = identity
        self.path = None if folder is None else Path(folder) / FILE
        if self.path is not None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(
                    f"{self.path.parent}: cannot be made ({error.strerror}); choose another folder."
                ) from None

    def load(self) -> tuple[dict[int, np.ndarray], dict[int, Lane], float]:
        """Starts and states by lane, and the seconds spent so far."""
        if self.path is None or not self.path.exists():
            return {}, {}, 0.0
        try:
            with open(self.path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                held = {name: file[name] for name in file.files}
            identity, seconds = str(held["identity"]), float(held["seconds"])
            numbers = held["lane"].tolist()
            lanes = {
                number: Lane(
                    held["x"][k],
                    float(held["loss"][k]),
                    held["triangle"][k],
                    float(held["radius"][k]),
                    int(held["evaluations"][k]),
                    int(held["jacobians"][k]),
                    Ending(int(held["ending"][k])),
                )
                for k, number in enumerate(numbers)
            }
            starts = {number: held["start"][k] for k, number in enumerate(numbers)}
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            raise InputError(
                f"{self.path}: is not the progress of a fit, or damaged; delete it to begin anew."
            ) from None
        if identity != self.identity:
            raise InputError(
                f"{self.path}: belongs to another fit (data, model, parameters, key or settings differ); "
                "choose another folder (--out), or delete it."
            )
        return starts, lanes, seconds

    def save(self, starts: dict[int, np.ndarray], lanes: dict[int, Lane], seconds: float) -> None:
        """Writes every lane that has begun; the file is replaced at once when all is written."""
        if self.path is None or not lanes:
            return
        numbers = sorted(lanes)
        chosen = [lanes[k] for k in numbers]
        columns = {
            name: np.array([getattr(lane, name) for lane in chosen])
            for name in ("x", "loss", "triangle", "radius", "evaluations", "jacobians")
        }
        ending = np.array([int(lane.ending) for lane in chosen])
        start = np.array([starts[k] for k in numbers])
        about = {"identity": np.array(self.identity), "seconds": np.array(seconds), "lane": np.array(numbers)}
        _replace(self.path, lambda file: np.savez(file, **about, start=start, ending=ending, **columns))


def write_arrays(path: str | os.PathLike, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Arrays and a JSON text in one npz without pickles, written whole or not at all."""
    _replace(Path(path), lambda file: np.savez_compressed(file, meta=np.array(json.dumps(meta)), **arrays))


def _replace(path: Path, write: Callable[[Any], None]) -> None:
    """What `write` puts into a file, under its name only when all of it is on the disk."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another folder.") from None


def read_arrays(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `write_arrays` wrote.

    **Raises** `InputError` if the file is missing, damaged or another kind of file.
    """
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return json.loads(str(arrays.pop("meta"))), arrays
    except FileNotFoundError:
        raise InputError(f"{path}: is not there.") from None
    except (OSError, KeyError, ValueError, EOFError, AttributeError, zipfile.BadZipFile):
        raise InputError(f"{path}: is not a saved fit, or damaged.") from None
