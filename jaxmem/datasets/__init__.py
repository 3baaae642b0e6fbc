"""Published recordings: fetched once, checked against their SHA-256, returned as a `Recording`.

`load("beattie_2018", cell=5, protocol="sine_wave")`. Files go to the folder `JAXMEM_DATA_CACHE`, or to the
system's cache folder for jaxmem. With `JAXMEM_DATA_MIRROR` set to a folder that holds copies, they are taken
from there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..results import InputError
from . import beattie_2018, hodgkin_huxley_1952

if TYPE_CHECKING:
    from ..channel import Channel
    from ..fit import Free, VoltageClamp
    from ..modelfile import ModelFile
    from ..recordings import Recording

__all__ = ["DATASETS", "Dataset", "load"]


@dataclass(frozen=True)
class Dataset:
    """One published data set, and the model that was published with it.

    **Arguments:** `description`, `licence`, `citation`: one line each; `module`: has `load(**options) ->
    Recording`, `model(**options) -> Channel`, `free(**options) -> Free`, `file(**options) -> ModelFile` and
    `temperature(**options)` [K], each of which takes the same options; `held_out`: the options of the
    recording that a fit predicts by default, if there is one.
    """

    description: str
    licence: str
    citation: str
    module: ModuleType
    held_out: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def options(self) -> dict[str, Any]:
        """The options of `load` and their defaults."""
        return {name: p.default for name, p in inspect.signature(self.module.load).parameters.items()}

    @property
    def choices(self) -> dict[str, tuple[Any, ...]]:
        """The values that options take, where they are a list."""
        return getattr(self.module, "choices", dict)()

    @property
    def commands_only(self) -> tuple[str, ...]:
        """Protocols of which the command is there, but no recording."""
        return getattr(self.module, "commands_only", tuple)()

    def load(self, **options: Any) -> Recording:
        """The recording."""
        return self._call(self.module.load, options)

    def model(self, **options: Any) -> Channel:
        """The published model for this recording: its parameters, its reversal potential."""
        return self._call(self.module.model, options)

    def free(self, **options: Any) -> Free:
        """The published free parameters and bounds for this recording."""
        return self._call(self.module.free, options)

    def temperature(self, **options: Any) -> float:
        """The temperature of this recording [K]."""
        return self._call(self.module.temperature, options)

    def file(self, **options: Any) -> ModelFile:
        """The published model as a model file, with the names of the free parameters."""
        return self._call(self.module.file, options)

    def experiment(self, **options: Any) -> VoltageClamp:
        """The recording as an experiment to fit: at its temperature, with the data set's weights if it has
        any."""
        from ..fit import VoltageClamp

        weights = getattr(self.module, "sigma", None)
        sigma = None if weights is None else self._call(weights, options)
        return VoltageClamp(self.load(**options), self.temperature(**options), sigma=sigma)

    def _call(self, function: Callable[..., Any], options: Mapping[str, Any]) -> Any:
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise InputError(f"Options of this data set must be among {known}, but '{name}' was given.")
        return function(**options)


DATASETS: dict[str, Dataset] = {
    "hodgkin_huxley_1952": Dataset(
        "squid axon: potassium conductance at 11 depolarizations, from the rates of Table 1; shipped",
        hodgkin_huxley_1952.LICENCE,
        hodgkin_huxley_1952.CITATION,
        hodgkin_huxley_1952,
    ),
    "beattie_2018": Dataset(
        "hERG in CHO cells: 9 cells under sine-wave, action-potential and step protocols; 0.6 to 3.5 MB each",
        beattie_2018.LICENCE,
        beattie_2018.CITATION,
        beattie_2018,
        {"protocol": "ap"},
    ),
}


def load(name: str, **options: Any) -> Recording:
    """A published recording.

    **Arguments:** `name`: one of `DATASETS`; `options`: what the data set offers, such as `cell` and
    `protocol`. **Raises:** `InputError` if there is no such data set, option, cell or protocol, or its file
    cannot be fetched.
    """
    if name not in DATASETS:
        close = get_close_matches(name, DATASETS, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"data sets are {', '.join(DATASETS)}."
        raise InputError(f"A data set must be one of those that ship, but is '{name}'; {hint}")
    return DATASETS[name].load(**options)
