"""Recordings: sweeps of current under a known command, readers for the usual files, standard analyses."""

from jaxmem.recordings import analysis
from jaxmem.recordings.abf import read_abf
from jaxmem.recordings.columns import parse_units
from jaxmem.recordings.command import command_at, read_protocol
from jaxmem.recordings.delimited import read_csv
from jaxmem.recordings.jumps import jump_samples
from jaxmem.recordings.mat import read_mat
from jaxmem.recordings.measurement import Measurement, reversal
from jaxmem.recordings.npz import read_npz
from jaxmem.recordings.points import read_measurement
from jaxmem.recordings.read import read
from jaxmem.recordings.recording import Recording, stack

__all__ = [
    "Measurement",
    "Recording",
    "analysis",
    "command_at",
    "jump_samples",
    "parse_units",
    "read",
    "read_abf",
    "read_csv",
    "read_mat",
    "read_measurement",
    "read_npz",
    "read_protocol",
    "reversal",
    "stack",
]
