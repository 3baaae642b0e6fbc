"""`jaxmem models`, `jaxmem datasets` and `jaxmem doctor`: what is there."""

import argparse
import os
import platform
import sys
import textwrap
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .setting import cache_folder, cores, prepare
from .table import table

PACKAGES = (
    "jaxmem",
    "jax",
    "jaxlib",
    "equinox",
    "diffrax",
    "optax",
    "numpy",
    "scipy",
    "matplotlib",
    "pooch",
    "pyabf",
    "h5py",
)


def models(options: argparse.Namespace) -> int:
    """Prints the list of models, or one model and its model file."""
    prepare()
    from .. import library

    if options.show is None:
        published = lambda entry: f"doi:{entry.doi}" if entry.doi else "see --show"
        for kind, entries in (("model", library.MODELS), ("cell", library.CELLS)):
            rows = [(name, entry.description, published(entry)) for name, entry in entries.items()]
            print(table(("name", kind, "published"), rows) + "\n")
        print("jaxmem models --show NAME prints its parameters and, if it has one, its model file to copy.")
        return 0
    from ..params import describe

    module = library.load(options.show)
    print((module.__doc__ or "").strip() + "\n")
    print(describe(module.model()))
    try:
        text = library.text(options.show)
    except FileNotFoundError:
        return 0
    print("\n" + text.rstrip())
    return 0


def datasets(options: argparse.Namespace) -> int:
    """Prints the list of data sets."""
    from .. import datasets

    for name, entry in datasets.DATASETS.items():
        print(name)
        lines = [entry.description, f"licence: {entry.licence}", f"please cite: {entry.citation}"]
        lines += [
            f"--{option}: {_listed(values)} (default: {entry.options[option]})"
            for option, values in entry.choices.items()
        ]
        if entry.held_out:
            lines.append(f"--held-out: the same as --protocol (default: {entry.held_out['protocol']})")
        if entry.commands_only:
            lines.append(f"commands without recordings, which cannot be fitted: {', '.join(entry.commands_only)}")
        for line in lines:
            print(textwrap.fill(line, 100, initial_indent="  ", subsequent_indent="    "))
        print()
    print("jaxmem fit NAME fits one.")
    return 0


def _listed(values: Sequence[Any]) -> str:
    """Values separated by commas; whole numbers that follow each other as a range."""
    whole = len(values) > 2 and all(isinstance(x, int) for x in values)
    if whole and list(values) == list(range(values[0], values[0] + len(values))):
        return f"{values[0]} to {values[-1]}"
    return ", ".join(map(str, values))


def doctor(options: argparse.Namespace) -> int:
    """Prints what a bug report should hold."""
    prepare()
    import jax

    rows = [("python", platform.python_version()), ("system", platform.platform()), ("cores", str(cores()))]
    rows += [(package, _version(package)) for package in PACKAGES]
    try:
        devices = ", ".join(f"{d.platform}:{d.id} ({d.device_kind})" for d in jax.devices())
    except RuntimeError as error:
        devices = f"none: {' '.join(str(error).split())}"
    rows += [
        ("devices", devices),
        ("float64", "on" if jax.config.values["jax_enable_x64"] else "off"),
        ("compilation cache", str(jax.config.values["jax_compilation_cache_dir"] or "off")),
        ("cache folder", str(cache_folder() or "off (JAXMEM_CACHE is empty)")),
    ]
    rows += [
        (name, os.environ[name])
        for name in ("JAXMEM_CACHE", "JAXMEM_DATA_MIRROR", "JAX_PLATFORMS", "XLA_FLAGS")
        if name in os.environ
    ]
    print(table(("what", "value"), rows))
    bad = {"0.10.2", "0.11.0", "0.11.1"} & {_version("jax"), _version("jaxlib")}
    if bad:
        print(
            f"\njaxmem: jax {', '.join(sorted(bad))} computes wrong numbers or crashes; install another",
            file=sys.stderr,
        )
        return 1
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
