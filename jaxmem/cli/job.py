"""What a fit and its report need, however it was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..report import Extra
from .models import Chosen

STARTS = 64


@dataclass(frozen=True)
class Job:
    """Everything that a fit and its report need.

    `name`: of the folder; `title`: of the report; `finish`: what is added to the report once the fit is
    there; `reference`: the published model, if there is one; `protocols`: what the protocol of an experiment is called.
    """

    name: str
    title: str
    experiments: Sequence[Any]
    model: Any
    free: Any
    chosen: Chosen
    held_out: Sequence[Any] = ()
    starts: int = STARTS
    finish: Any = field(default=lambda found, job: Extra())
    reference: Any = None
    protocols: Mapping[str, str] = field(default_factory=dict)
