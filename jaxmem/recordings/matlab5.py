"""The MATLAB 5 file format, as far as recordings need it: real numeric matrices, nothing that could run.

Written out here because compiled readers crash on some damaged files, and a crash cannot be caught.

**Source:** MathWorks, MAT-File Format (R2019b), chapter 1, Level 5 MAT-file format.
"""

import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from jaxmem.results import InputError

_HEADER = 128  # bytes
_MATRIX, _COMPRESSED = 14, 15
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC = range(6, 16)  # array classes double, single, int8 ... uint64
_KINDS = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse"}
_COMPLEX = 0x800
_DEFLATE = 1032  # zlib cannot expand by more


def parse(path, raw: bytes, largest: int) -> tuple[dict[str, np.ndarray], list[str]]:
    """The real numeric matrices of a file by name, as float64, and the kinds of its other variables.

    **Arguments:** `raw`: the whole file; `largest`: the most values that one matrix may have.
    **Raises:** `InputError`, `struct.error` or `zlib.error` if the file is damaged.
    """
    if len(raw) < _HEADER or raw[126:128] not in (b"IM", b"MI"):
        raise InputError(f"{path}: is damaged in the header of the MATLAB file; copy or save it again")
    order = "<" if raw[126:128] == b"IM" else ">"
    found, others = {}, []
    for kind, data in _elements(path, raw[_HEADER:], order):
        if kind == _COMPRESSED:
            kind, data = _inflated(path, data, order, 8 * largest)
        if kind != _MATRIX:
            continue
        name, value = _matrix(path, data, order, largest)
        if isinstance(value, str):
            others.append(value)
        elif name:
            found[name] = value
    return found, others


def _elements(path, data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of each data element; short ones sit in the tag itself."""
    at = 0
    while at < len(data):
        first, size = struct.unpack_from(order + "II", data, at)
        if first >> 16:
            kind, size, begin, end = first & 0xFFFF, first >> 16, at + 4, at + 8
            if size > 4:
                raise InputError(f"{path}: is damaged: a short element of the MATLAB file claims {size} bytes")
        else:
            kind, begin = first, at + 8
            end = begin + size + (0 if kind == _COMPRESSED else -size % 8)
        if begin + size > len(data):
            raise InputError(f"{path}: is truncated: it ends inside a variable; copy or save it again")
        yield kind, data[begin : begin + size]
        at = end


def _inflated(path, data: bytes, order: str, largest: int) -> tuple[int, bytes]:
    """The one element inside a compressed one; its declared size is checked before it is unpacked."""
    stream = zlib.decompressobj()
    tag = stream.decompress(data, 8)
    kind, size = struct.unpack(order + "II", tag)
    if size > min(largest, _DEFLATE * len(data)):
        raise InputError(f"{path}: is damaged: {len(data)} compressed bytes claim to hold {size}")
    content = stream.decompress(stream.unconsumed_tail, max(size, 1))
    if len(content) < size:
        raise InputError(f"{path}: is truncated: it ends inside a compressed variable; copy or save it again")
    return kind, content


def _matrix(path, data: bytes, order: str, largest: int) -> tuple[str, np.ndarray | str]:
    """Name and values of a matrix, or what it is if it is not real and numeric."""
    parts = _elements(path, data, order)
    flags = next(parts, (0, b""))[1]
    if len(flags) != 8:
        raise InputError(f"{path}: is damaged: a variable of the MATLAB file has no flags")
    word = struct.unpack_from(order + "I", flags)[0]
    if word & 0xFF not in _NUMERIC:
        return "", _KINDS.get(word & 0xFF, "unknown")
    if word & _COMPLEX:
        return "", "complex"
    sizes, label = next(parts, (0, b""))[1], next(parts, (0, b""))[1]
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    name = label.decode("ascii", errors="replace")
    kind, values = next(parts, (0, b""))
    if kind not in _TYPES or len(shape) < 2 or min(shape) < 0:
        raise InputError(f"{path}: is damaged: variable '{name[:40]}' has no readable numbers")
    dtype = np.dtype(order + _TYPES[kind])
    count = math.prod(shape)
    if count * dtype.itemsize != len(values) or count > largest:
        raise InputError(
            f"{path}: variable '{name[:40]}' declares shape {shape}, but holds {len(values)} bytes; it is damaged, so "
            "save it again"
        )
    return name, np.frombuffer(values, dtype).reshape(shape, order="F").astype(float)
