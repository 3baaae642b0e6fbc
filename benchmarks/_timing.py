"""Timing shared by the benchmarks: every peer alone in its own process, one after another, on the same
cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = (
    *("jaxmem", "jax", "jaxlib", "numpy", "scipy", "diffrax", "myokit", "NEURON", "arbor", "Brian2", "Jaxley"),
    *("ionbench", "devsim"),
)


@dataclass(frozen=True)
class Row:
    """One measurement: times are seconds of one call of `task`; `errors` says how wrong the timed answer
    is.
    """

    peer: str
    task: str
    median: float
    low: float
    high: float
    runs: int
    setup: float
    errors: dict[str, float] = field(default_factory=dict)
    dtype: str = "float64"
    device: str = "cpu"
    note: str = ""
    work: dict[str, float] = field(default_factory=dict)


def _wait(value):
    return sys.modules["jax"].block_until_ready(value) if "jax" in sys.modules else value


def measure(call: Callable[[], object], *, runs: int = 5, least: float = 0.02) -> dict:
    """Median and range of the seconds of one `call`: two warm-ups, then `runs` samples of at least `least`
    s.
    """
    _wait(call())
    start = time.perf_counter()
    _wait(call())
    number = max(1, int(least / max(time.perf_counter() - start, 1e-9)))
    samples = []
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(number):
            _wait(call())
        samples.append((time.perf_counter() - start) / number)
    return spread(samples)


def spread(samples: list[float]) -> dict:
    """Median and range of seconds measured otherwise."""
    return {"median": statistics.median(samples), "low": min(samples), "high": max(samples), "runs": len(samples)}


def peak_memory() -> float:
    """The most memory this process has held so far [MB], what it imports included."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def on_one_core(peer: Callable[[bool], Iterable[Row]]) -> Callable[[bool], Iterable[Row]]:
    """The same peer on the first of the cores that its process may use (where that can be set)."""

    def pinned(quick: bool) -> Iterable[Row]:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return peer(quick)

    return pinned


def compiled(function: Callable, *arguments) -> tuple[Callable, float]:
    """`function` compiled ahead of time by jax for `arguments`, and the seconds that took."""
    import jax

    start = time.perf_counter()
    ready = jax.jit(function).lower(*arguments).compile()
    return ready, time.perf_counter() - start


def _commit() -> str:
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} logical cores"


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def run(name: str, peers: dict[str, Callable[[bool], Iterable[Row]]], *, cores: str = "0") -> None:
    """Run each of `peers` (a function of `quick` that gives rows) in a process of its own; print and keep the
    rows.

    A full run writes results/<name>.json; a quick one only what `--out` names. A peer that fails, or whose
    package is not installed, is listed as missing with its reason and does not stop the others.
    """
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument(
        "--quick", action="store_true", help="smaller work and two runs: does it work, not how fast"
    )
    parser.add_argument(
        "--only", action="append", choices=list(peers), help="run only this peer (repeatable)"
    )
    parser.add_argument(
        "--cores", default=cores, help="cores the process may use, such as 0 or 0,1 (Linux); all = free"
    )
    parser.add_argument("--out", type=Path, help="where the JSON goes")
    parser.add_argument("--rows-of", choices=list(peers), help=argparse.SUPPRESS)
    parser.add_argument("--rows-to", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rows_of:
        rows = []
        for row in peers[asked.rows_of](asked.quick):
            shown = "  ".join(f"{key} {value:.1e}" for key, value in row.errors.items())
            print(f"  {row.peer:34s} {row.task:42s} {_text(row)}  {shown}", flush=True)
            rows.append(asdict(row))
            asked.rows_to.write_text(json.dumps(rows))
        return
    rows, missing = [], {}
    pin = None
    if asked.cores != "all" and hasattr(os, "sched_setaffinity"):
        pin = partial(os.sched_setaffinity, 0, {int(core) for core in asked.cores.split(",")})
    with tempfile.TemporaryDirectory() as folder:
        for peer in asked.only or peers:
            kept = Path(folder) / "rows.json"
            kept.unlink(missing_ok=True)
            command = [sys.executable, sys.argv[0], "--rows-of", peer, "--rows-to", str(kept)]
            done = subprocess.run(
                command + ["--quick"] * asked.quick, preexec_fn=pin, stderr=subprocess.PIPE, text=True
            )
            rows += json.loads(kept.read_text()) if kept.exists() else []
            if done.returncode:
                missing[peer] = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
                print(f"  {peer}: not measured: {missing[peer]}", flush=True)
    out = asked.out or (None if asked.quick or asked.only else HERE / "results" / f"{name}.json")
    if out:
        keep(out, name, rows, cores=asked.cores, quick=asked.quick, missing=missing)


def keep(out: Path, name: str, rows: list[dict], **more) -> None:
    """Write rows, one per line, with the machine, the versions and the commit they belong to."""
    about = {
        "benchmark": name,
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "processor": _processor(),
    }
    about |= {"python": platform.python_version(), "versions": _versions(), **more}
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    out.write_text(json.dumps(about)[:-1] + ', "rows": [\n  ' + lines + "\n]}\n")
    print(f"wrote {out}")


def _text(row: Row) -> str:
    scale, unit = (1e3, "ms") if row.median < 1 else (1.0, "s ")
    middle, low, high = (value * scale for value in (row.median, row.low, row.high))
    return f"{middle:9.3f} {unit} ({low:.3f} to {high:.3f}, n={row.runs}, set-up {row.setup:.1f} s)"
