"""What the command line sets before jax computes: float64, the compilation cache, the cores."""

import hashlib
import os
import platform
import sys
from pathlib import Path


def cache_folder() -> Path | None:
    """Where compiled programs are kept between runs, or None if they are not.

    `JAXMEM_CACHE` overrides the user's cache folder; an empty value switches the cache off.
    """
    given = os.environ.get("JAXMEM_CACHE")
    if given is not None:
        return Path(given) if given else None
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif os.name == "nt":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "jaxmem"


def cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def machine() -> str:
    """A short name for this kind of processor: compiled programs are for one kind, a home folder may serve
    several."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        flags = platform.processor()
    return hashlib.sha256(f"{platform.machine()} {flags}".encode()).hexdigest()[:12]


def prepare() -> None:
    """Switches on float64 and the persistent compilation cache; a cache that cannot be written is left
    out."""  # The cache's loader logs an error for pseudo-features of the compiler that no processor reports.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import jax

    jax.config.update("jax_enable_x64", True)
    folder = cache_folder()
    if folder is None:
        return
    folder = folder / f"compiled-{machine()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if writable:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
