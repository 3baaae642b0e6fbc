"""`jaxmem sweep`: a cell under every parameter set of a design, into a Zarr store."""

import argparse
import re
from pathlib import Path

from .progress import Progress
from .setting import cores, prepare


def run(options: argparse.Namespace) -> int:
    """Runs the sweep of a file, or goes on with it; prints what failed. 1 if every lane failed."""
    prepare()
    import jax

    from .. import sweep
    from .scenario import document, in_float64, scenario

    try:  # each core computes a part of every chunk; before anything else is computed
        jax.config.update("jax_num_cpu_devices", cores())
    except RuntimeError:
        pass
    root = document(options.file)
    name = re.sub(r"[^\w.-]+", "_", Path(options.file).stem)
    place = options.out or f"jaxmem_sweep_{name}.zarr"
    options.after_interrupt = f"; the same command goes on with {place}"
    with jax.enable_x64(in_float64(root)):
        found = scenario(root)
        progress = Progress("sweep", quiet=options.quiet)
        try:
            result = sweep.run(
                found.function,
                found.varied,
                chunk=found.chunk,
                block=found.block,
                store=place,
                shard=options.shard,
                mesh=sweep.devices(),
                units=found.units,
                progress=progress,
            )
        finally:
            progress.close()
        failures = result.failures()
        if not options.quiet:
            print(result)
            print(f"wrote {place}; open it with xarray.open_zarr({place!r})")
    failed = sum(f.count for f in failures if f.name != "pending")
    return int(failed == found.varied.lanes)
