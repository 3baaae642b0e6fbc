"""One function over a million parameter sets, in chunks that any number of machines share, resumable."""

from .design import grid, latin_hypercube, listed, sobol
from .distributed import Shards, Total, all_devices, shard, sharded_value_and_grad
from .result import Failure, SweepResult
from .run import devices, run
from .vary import Varied, vary

__all__ = [
    "Failure",
    "Shards",
    "SweepResult",
    "Total",
    "Varied",
    "all_devices",
    "devices",
    "grid",
    "latin_hypercube",
    "listed",
    "run",
    "shard",
    "sharded_value_and_grad",
    "sobol",
    "vary",
]
