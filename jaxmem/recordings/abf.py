"""Axon Binary Format, versions 1 and 2: sweeps, units and the command of the epoch table, through pyabf."""

import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxmem import units as unit_system
from jaxmem.recordings.assemble import assemble
from jaxmem.recordings.columns import scaled
from jaxmem.recordings.reading import LARGEST_ARRAY, parsing, size_of
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError

_BLOCK = 512  # bytes; sections start on blocks
_SECTIONS = {
    "protocol": 76,
    "ADC": 92,
    "DAC": 108,
    "epoch": 124,
    "epoch per DAC": 156,
    "user list": 172,
    "strings": 220,
    "data": 236,
    "tag": 252,
    "synch array": 316,
}
_MOST_ENTRIES = {
    "protocol": 1,
    "ADC": 64,
    "DAC": 64,
    "epoch": 1024,
    "epoch per DAC": 1024,
    "user list": 64,
    "strings": 4096,
    "tag": 100_000,
    "synch array": 1_000_000,
}
_HEADER_1 = 6144  # bytes of an ABF1 header


def read_abf(
    path: str | os.PathLike,
    protocol=None,
    *,
    channel: int | None = None,
    dac: int | None = None,
    units: Mapping[str, str] | None = None,
    name: str | None = None,
    temperature: float | None = None,
    held: bool = True,
) -> Recording:
    """A recording from an Axon file, with the command of its epoch table.

    Clampex holds for 1/64 of each sweep before the first epoch; the command contains that.

    **Arguments**

    - `protocol`: replaces the command of the file, as for `read_csv`.
    - `channel`: index of the input, from 0; default: the only one that measures a current.
    - `dac`: index of the output that commands the cell; default: that of the same index as the channel if its
      waveform is on, else the only one whose waveform is on.

    **Raises:** `InputError` if it is damaged, is no voltage clamp, has sweeps of different lengths, its
    command came from another file, or pyabf is not installed.
    """
    try:
        import pyabf
    except ImportError:
        raise InputError(f"{path}: reading ABF needs pyabf; install jaxmem[io], or export CSV") from None
    interval = _check(path)
    with parsing(path, "ABF"):
        abf = pyabf.ABF(str(path), loadData=False, cacheStimulusFiles=False)
        counts = int(abf.sweepCount), int(abf.channelCount), int(abf.sweepPointCount)
        lengths = getattr(getattr(abf, "_synchArraySection", None), "lLength", [])
        labels = [str(unit).strip() for unit in abf.adcUnits]
    if min(counts) < 1 or math.prod(counts) > LARGEST_ARRAY:
        raise InputError(
            f"{path}: declares {counts[0]} sweeps, {counts[1]} channels and {counts[2]} samples; it is damaged"
        )
    if abf.sweepCount > 1 and len(set(lengths)) > 1:
        raise InputError(f"{path}: sweeps have different lengths, which is not supported; export sweeps of one length")
    channel, factor = _choose_channel(path, labels, channel)
    with parsing(path, "ABF"):
        abf.setSweep(0, channel=channel)
        signal = np.asarray(abf.data)[channel].astype(float)[: counts[0] * counts[2]]
        signal = scaled(path, labels[channel], factor, signal.reshape(counts[0], counts[2]))
    voltage = _command(path, abf, channel, dac) if protocol is None else None
    return assemble(
        path,
        signal,
        dt=interval,
        voltage=voltage,
        protocol=protocol,
        units=units,
        name=name,
        temperature=temperature,
        held=held,
    )


def _choose_channel(path, labels: list[str], channel: int | None) -> tuple[int, float]:
    """The channel, and the factor from its unit to pA."""
    factors: dict[int, float] = {}
    for k, label in enumerate(labels):
        try:
            factors[k] = unit_system.factor(label, "pA")
        except ValueError:
            continue
    listing = ", ".join(f"{k}: {label[:16]}" for k, label in enumerate(labels))
    if channel is None:
        if len(factors) != 1:
            raise InputError(
                f"{path}: has {len(factors)} channels that measure a current, so say which (channel=0); channels are "
                f"{listing}"
                if factors
                else f"{path}: has no channel that measures a current (current clamp?), but a voltage-clamp recording "
                f"is needed; channels are {listing}"
            )
        return next(iter(factors.items()))
    if not 0 <= channel < len(labels):
        raise InputError(f"{path}: has no channel {channel}; channels are {listing}")
    if channel not in factors:
        raise InputError(
            f"{path}: channel {channel} is in {labels[channel][:16]} (current clamp?), but a current is needed; "
            f"channels are {listing}"
        )
    return channel, factors[channel]


def _command(path, abf, channel: int, dac: int | None) -> np.ndarray:
    """The command of all sweeps [mV], shape (sweeps, samples)."""
    from pyabf.waveform import EpochTable

    with parsing(path, "ABF"):
        header = abf._headerV1 if abf.abfVersion["major"] == 1 else abf._dacSection
        enabled, sources = list(header.nWaveformEnable), list(header.nWaveformSource)
        holding = list(header.fInstrumentHoldingLevel if abf.abfVersion["major"] == 1 else header.fDACHoldingLevel)
        labels = [str(u).strip() for u in (abf.dacUnits or [])]
    active = [k for k, (on, source) in enumerate(zip(enabled, sources, strict=False)) if on and source]
    if dac is None:
        dac = channel if channel in active or len(active) != 1 else active[0]
    if not 0 <= dac < len(enabled):
        raise InputError(f"{path}: has no output {dac}; outputs are 0 to {len(enabled) - 1} (dac=0)")
    scale = _millivolts(path, labels[dac]) if dac < len(labels) else 1.0
    shape = abf.sweepCount, abf.sweepPointCount
    if dac not in active:
        return scaled(path, "command", scale, np.full(shape, float(holding[dac])))
    if sources[dac] != 1:
        raise InputError(
            f"{path}: its command came from another file, which is not followed; give it (protocol=, --protocol)"
        )
    with parsing(path, "ABF"):
        waveforms = EpochTable(abf, dac).epochWaveformsBySweep
    for k, wave in enumerate(waveforms):
        edges = [*zip(wave.p1s, wave.p2s, strict=True)]
        if any(not 0 <= a <= b <= shape[1] for a, b in edges) or any(0 < p < 4 for p in wave.pulsePeriods):
            raise InputError(
                f"{path}: the epochs of sweep {k} do not fit into its {shape[1]} samples; give the command (protocol=, "
                "--protocol)"
            )
    with parsing(path, "ABF"):
        return scaled(path, "command", scale, np.stack([wave.getWaveform() for wave in waveforms]))


def _millivolts(path, label: str) -> float:
    if label in ("", "?"):
        return 1.0
    try:
        return unit_system.factor(label, "mV")
    except ValueError:
        raise InputError(
            f"{path}: its command is in {label[:16]} (current clamp?), but a voltage clamp is needed; if the unit is "
            "mislabeled, give the command (protocol=, --protocol)"
        ) from None


def _check(path) -> float:
    """Holds the sizes that the header declares against the size of the file; the sampling interval [ms].

    Done before pyabf reads, because it allocates what the header asks for.
    """
    size = size_of(path)
    try:
        with Path(path).open("rb") as stream:
            header = stream.read(_HEADER_1)
            if header[:4] == b"ABF2":
                return _check_2(path, header, size, stream)
            if header[:4] == b"ABF ":
                return _check_1(path, header, size)
    except struct.error:
        raise InputError(f"{path}: is truncated inside the ABF header ({size} bytes); copy it again") from None
    raise InputError(f"{path}: is not an ABF file (it does not begin with ABF)")


def _check_2(path, header: bytes, size: int, stream) -> float:
    starts = {}
    for label, at in _SECTIONS.items():
        block, entry, count = struct.unpack_from("<IIi", header, at)
        most = _MOST_ENTRIES.get(label, size)
        if count < 0 or count > most or (count and block * _BLOCK + entry * count > size):
            raise InputError(
                f"{path}: its {label} section declares {count} entries of {entry} bytes at block {block}, which a file "
                f"of {size} bytes cannot hold; it is damaged or truncated, so copy it again"
            )
        starts[label] = block * _BLOCK, entry, count
    (sweeps,) = struct.unpack_from("<I", header, 12)
    width = {0: 2, 1: 4}.get(struct.unpack_from("<H", header, 30)[0])
    _, entry, count = starts["data"]
    channels = starts["ADC"][2]
    if width is None or entry != width or not channels or count % channels or sweeps > max(count // channels, 1):
        raise InputError(
            f"{path}: declares {sweeps} sweeps of {channels} channels in {count} samples; it is damaged or was never "
            "finished"
        )
    stream.seek(starts["protocol"][0] + 2)
    return _interval(path, struct.unpack("<f", stream.read(4))[0])


def _check_1(path, header: bytes, size: int) -> float:
    if size < _HEADER_1:
        raise InputError(f"{path}: is truncated inside the ABF header ({size} bytes); copy it again")
    samples, ignored, sweeps = struct.unpack_from("<ihi", header, 10)
    data, tags, tag_count = struct.unpack_from("<iii", header, 40)
    wide, channels = struct.unpack_from("<h", header, 100)[0], struct.unpack_from("<h", header, 120)[0]
    if wide != 0:
        raise InputError(
            f"{path}: is an ABF1 file of type {wide}, but only integer samples (type 0) are read; export ABF2"
        )
    fits = (
        data > 0
        and ignored >= 0
        and samples > 0
        and data * _BLOCK + ignored + 2 * samples <= size
        and 0 <= tag_count <= 100_000
        and (not tag_count or 0 <= tags * _BLOCK + 64 * tag_count <= size)
        and 1 <= channels <= 16
        and 0 <= sweeps <= samples
        and samples % channels == 0
    )
    if not fits:
        raise InputError(
            f"{path}: declares {samples} samples, {sweeps} sweeps, {channels} channels and {tag_count} tags, which a "
            f"file of {size} bytes cannot hold; it is damaged or truncated, so copy it again"
        )
    return _interval(path, struct.unpack_from("<f", header, 122)[0] * channels)


def _interval(path, microseconds: float) -> float:
    if not (math.isfinite(microseconds) and 1e-2 <= microseconds <= 1e9):
        raise InputError(f"{path}: declares a sampling interval of {microseconds:g} us; it is damaged")
    return microseconds * 1e-3
