"""Which format a file has, by its first bytes."""

import enum
import os
from pathlib import Path

from jaxmem.recordings.reading import size_of
from jaxmem.results import InputError

READABLE = "readable are CSV tables, NPZ archives, MATLAB .mat files (version 5 to 7) and Axon .abf files"


class Format(enum.Enum):
    """A readable format, with the endings its files may have."""

    TEXT = (".csv", ".tsv", ".txt", ".dat", ".asc")
    NPZ = (".npz",)
    MAT = (".mat",)
    ABF = (".abf",)


_MAGIC = {
    b"PK\x03\x04": Format.NPZ,
    b"PK\x05\x06": Format.NPZ,
    b"MATLAB 5.0": Format.MAT,
    b"MATLAB 7.": Format.MAT,
    b"ABF ": Format.ABF,
    b"ABF2": Format.ABF,
}
_REFUSED = {
    b"\x93NUMPY": "a bare NumPy array; save it with its unit: numpy.savez(file, current_pA=..., dt_ms=...)",
    b"\x89HDF": "an HDF5 file (MATLAB 7.3, NWB, WaveSurfer); save MATLAB files with -v7, or export CSV",
    b"DAT1": "a HEKA PatchMaster bundle; export it as MATLAB or ASCII",
    b"DAT2": "a HEKA PatchMaster bundle; export it as MATLAB or ASCII",
    b"ATF\t": "an Axon text file; open the .abf file instead, or export CSV",
    b"IBW": "an Igor file; export CSV",
    b"\x80\x04": "a Python pickle, which is never loaded; save NPZ or CSV",
    b"\x80\x05": "a Python pickle, which is never loaded; save NPZ or CSV",
}


def format_of(path: str | os.PathLike) -> Format:
    """The format of a file.

    **Raises:** `InputError` if the file cannot be opened, has an unknown format, or its ending says another
    one.
    """
    size_of(path)
    with open(path, "rb") as stream:
        start = stream.read(1024)
    for magic, reason in _REFUSED.items():
        if start.startswith(magic):
            raise InputError(f"{path}: is {reason}")
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), Format.TEXT)
    if kind is Format.TEXT and b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path}: is of an unknown format; {READABLE}")
    ending = Path(path).suffix.lower()
    says = next((other for other in Format if ending in other.value), None)
    if says is not None and says is not kind:
        raise InputError(
            f"{path}: ends in {ending} but does not hold that format (its bytes look like {kind.name}); name the file "
            f"after what it is; {READABLE}"
        )
    return kind
