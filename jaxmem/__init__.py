"""Differentiable membrane transport in JAX: `import jaxmem as jm`, and the modules are the namespace.

Modules load at first use (PEP 562): `jm.gating.Markov` imports `jaxmem.gating` and with it jax, while
`import jaxmem` imports neither, so the command line can answer at once.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import cell as cell
    from . import channel as channel
    from . import check as check
    from . import datasets as datasets
    from . import electrochemistry as electrochemistry
    from . import electrodiffusion as electrodiffusion
    from . import fit as fit
    from . import gating as gating
    from . import kinetics as kinetics
    from . import library as library
    from . import likelihood as likelihood
    from . import modelfile as modelfile
    from . import network as network
    from . import params as params
    from . import permeation as permeation
    from . import plot as plot
    from . import protocols as protocols
    from . import rates as rates
    from . import recordings as recordings
    from . import report as report
    from . import results as results
    from . import simulate as simulate
    from . import space as space
    from . import sweep as sweep
    from . import synapse as synapse
    from . import transport as transport
    from . import units as units

    __version__: str

_MODULES = frozenset(
    "units results params electrochemistry rates kinetics electrodiffusion gating permeation channel transport "
    "synapse cell space network protocols simulate recordings likelihood fit sweep library modelfile datasets check "
    "plot report".split()
)


def __getattr__(name: str):
    if name in _MODULES:
        return _import_module(f"{__name__}.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    known = ", ".join(sorted(_MODULES))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its modules are {known}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, "__version__"})
