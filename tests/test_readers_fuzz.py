"""Damaged files: whatever the bytes, a reader returns a recording or raises one line of `InputError`."""

import io
import resource
import signal
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from jaxmem.recordings import Recording, command_at, read
from jaxmem.results import InputError

MUTANTS = 240  # of each kind
SECONDS = 10  # for one file
MEMORY = 600 * 2**20  # growth of the peak resident size over a whole kind


def csv_bytes() -> bytes:
    rows = [f"{0.1 * k:.1f},{-80 + 40 * (k > 20)},{np.sin(k):.5f},{np.cos(k):.5f}" for k in range(60)]
    return (
        "# a comment\ntime [ms],voltage [mV],current [pA],current_2 [nA]\n" + "\n".join(rows) + "\n"
    ).encode()


def npz_bytes() -> bytes:
    buffer = io.BytesIO()
    t = np.arange(200) * 0.1
    np.savez_compressed(buffer, time_ms=t, voltage_mV=-80 + 10 * (t > 5), current_nA=np.sin(t), dt_ms=0.1)
    return buffer.getvalue()


def mat_bytes(compressed: bool) -> bytes:
    buffer = io.BytesIO()
    t = np.arange(200.0)[:, None] * 0.1
    scipy.io.savemat(
        buffer,
        {
            "time_ms": t,
            "voltage_mV": -80 + 10 * (t > 5),
            "current_nA": np.sin(t),
            "note": "text",
            "s": {"a": 1.0},
        },
        do_compression=compressed,
    )
    return buffer.getvalue()


def step_bytes() -> bytes:
    header = b"start_ms,duration_ms,v_start_mV,v_end_mV,kind\n"
    return header + b"0,5,-80,-80,hold\n5,10,-120,-80,ramp\n15,5,40,40,step\n"


def mutants(seed: bytes, count: int, start: int, header: int):
    """`count` damaged copies: flips, cuts, repeats, removals, NaN, huge numbers; half in the header."""
    rng = np.random.default_rng(start)
    inserts = [
        b"nan",
        b"NaN",
        b"inf",
        b"-1e308",
        b"9" * 40,
        b",",
        b"\n",
        b"\0",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\x7f",
    ]
    for k in range(count):
        raw = bytearray(seed)
        for _ in range(int(rng.integers(1, 4))):
            size = len(raw)
            at = int(rng.integers(0, max(1, min(size, header) if rng.random() < 0.5 else size)))
            span = int(rng.integers(1, 1 + max(1, min(size // 4, 4000))))
            match k % 7 if rng.random() < 0.8 else int(rng.integers(0, 7)):
                case 0:
                    raw[at : at + 1] = bytes([raw[at] ^ (1 << int(rng.integers(0, 8)))]) if size else b""
                case 1:
                    del raw[at:]
                case 2:
                    raw[at:at] = raw[at : at + span]
                case 3:
                    del raw[at : at + span]
                case 4:
                    raw[at:at] = inserts[int(rng.integers(0, len(inserts)))]
                case 5:
                    chunk = inserts[int(rng.integers(0, len(inserts)))]
                    raw[at : at + len(chunk)] = chunk
                case _:
                    raw[at : at + 4] = rng.integers(0, 256, 4, dtype=np.uint8).tobytes()
        yield bytes(raw)


class Slow(Exception):
    pass


def feed(folder: Path, name: str, files, read_one) -> tuple[int, int]:
    """Reads each file; how many were read and how many refused. Anything else escapes and fails the test."""

    def late(*_):
        raise Slow(f"a mutant of {name} took more than {SECONDS} s")

    path, outcome = folder / name, [0, 0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    previous = signal.signal(signal.SIGALRM, late)
    try:
        for raw in files:
            path.write_bytes(raw)
            signal.alarm(SECONDS)
            try:
                read_one(path)
                outcome[0] += 1
            except InputError as error:
                outcome[1] += 1
                assert "\n" not in str(error) and len(str(error)) < 900, str(error)
                assert name in str(error)
            finally:
                signal.alarm(0)
    finally:
        signal.signal(signal.SIGALRM, previous)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < MEMORY
    return outcome[0], outcome[1]


SEEDS = {
    "a.csv": (csv_bytes, 80),
    "a.npz": (npz_bytes, 4000),
    "compressed.mat": (lambda: mat_bytes(True), 300),
    "plain.mat": (lambda: mat_bytes(False), 800),
}


@pytest.mark.parametrize("name", SEEDS)
def test_mutants_are_read_or_refused(name, tmp_path):
    make, header = SEEDS[name]
    seed = make()
    assert feed(tmp_path, name, [seed], read) == (1, 0)
    good, bad = feed(tmp_path, name, mutants(seed, MUTANTS, zlib.crc32(name.encode()), header), read)
    assert good + bad == MUTANTS and bad > MUTANTS // 4


def test_step_table_mutants(tmp_path):
    t = np.arange(0, 20, 0.1)
    read_one = lambda path: command_at(path, t)
    assert feed(tmp_path, "steps.csv", [step_bytes()], read_one) == (1, 0)
    good, bad = feed(tmp_path, "steps.csv", mutants(step_bytes(), MUTANTS, 5, 60), read_one)
    assert good + bad == MUTANTS and bad > MUTANTS // 4


@pytest.mark.parametrize("name", ["model_vc_step.abf", "05210017_vc_abf1.abf"])
def test_abf_mutants(name, tmp_path, shared):
    pytest.importorskip("pyabf")
    seed = (shared / "data" / "pyabf_real_abf_files" / name).read_bytes()
    read_one = lambda path: read(path, channel=0)
    assert feed(tmp_path, name, [seed], read_one) == (1, 0)
    # Damage to the samples is damage to numbers only, so most of it goes into the headers.
    good, bad = feed(tmp_path, name, mutants(seed, MUTANTS, 7, 6144), read_one)
    assert good + bad == MUTANTS and bad > MUTANTS // 4


@pytest.mark.parametrize("at", [12, *range(76, 332, 16), *range(84, 332, 16)])
def test_abf_header_with_huge_counts(at, tmp_path, shared):
    pytest.importorskip("pyabf")
    raw = bytearray((shared / "data" / "pyabf_real_abf_files" / "model_vc_step.abf").read_bytes())
    for value in (2**31 - 1, 2**31, 2**32 - 1, 0):
        raw[at : at + 4] = struct.pack("<I", value)
        good, bad = feed(tmp_path, "a.abf", [bytes(raw)], read)
        assert good + bad == 1


def test_abf_cut_short_is_refused(tmp_path, shared):
    raw = (shared / "data" / "pyabf_real_abf_files" / "model_vc_step.abf").read_bytes()
    for size in (4, 100, 512, 6144, len(raw) // 2):
        assert feed(tmp_path, "a.abf", [raw[:size]], read) == (0, 1)


def test_pickles_are_never_loaded(tmp_path):
    class Loud:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was run",))

    path = tmp_path / "a.npz"
    np.savez(path, current_pA=np.array([Loud()] * 3, dtype=object), dt_ms=0.1)
    with pytest.raises(InputError, match="never loaded"):
        read(path)
    with pytest.raises(InputError, match="never loaded"):
        command_at(path, np.arange(3.0))
    path = tmp_path / "a.dat"
    path.write_bytes(b"\x80\x04\x95junk")
    with pytest.raises(InputError, match="pickle"):
        read(path)


def test_npz_that_declares_more_than_it_holds(tmp_path):
    path = tmp_path / "a.npz"
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("current_pA.npy", array.getvalue() + bytes(80))
    with pytest.raises(InputError, match="declares shape"):
        read(path)


def test_mat_that_declares_more_than_it_holds(tmp_path):
    raw = bytearray(mat_bytes(False))
    at = raw.index(struct.pack("<ii", 200, 1))
    raw[at : at + 8] = struct.pack("<ii", 2**30, 2**20)
    path = tmp_path / "a.mat"
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError):
        read(path)


def test_a_compressed_bomb_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (2**28 + 1,)}
    )
    size = 2**31 + 8
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("current_pA.npy", header.getvalue())
    raw = bytearray(path.read_bytes())
    # The directory of the archive claims that the array unpacks to 2 GiB.
    at = raw.rindex(b"PK\x01\x02") + 24
    raw[at : at + 4] = struct.pack("<I", size + len(header.getvalue()))
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError):
        read(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDS)
def test_many_mutants(name, tmp_path):
    make, header = SEEDS[name]
    good, bad = feed(tmp_path, name, mutants(make(), 5000, 11, header), read)
    assert good + bad == 5000


def test_the_seeds_hold_what_was_written(tmp_path):
    for name, (make, _) in SEEDS.items():
        (tmp_path / name).write_bytes(make())
        recording = read(tmp_path / name)
        assert isinstance(recording, Recording) and recording.unit == "pA"
        scale = 1.0 if name == "a.csv" else 1000.0
        expected = np.sin(np.arange(60)) if name == "a.csv" else scale * np.sin(np.arange(200) * 0.1)
        np.testing.assert_allclose(recording.current[0], expected, atol=1e-5 * scale)
