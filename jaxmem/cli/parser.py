"""The words that the command line understands. Standard library only."""

import argparse
import importlib
from collections.abc import Callable
from typing import NoReturn

FIT_HELP = """\
examples:
  jaxmem fit                                   squid potassium conductance, Hodgkin & Huxley 1952 (offline)
  jaxmem fit beattie_2018 --cell 5             a real hERG recording, with a held-out prediction
  jaxmem fit beattie_2018 --cell 5 --protocol sine_wave inactivation --held-out ap
  jaxmem fit --recording cell.csv --model my.toml --units time=s,current=nA
  jaxmem fit --measurement iv.csv --model k_channel_3b2s --temperature "22 C"
  jaxmem fit --recording cell.abf --model herg_beattie_2018 --temperature "21 C" --blank 5 --sweeps 0-2

The same command continues a fit that was stopped, and reaches the same numbers.
"""
SIMULATE_HELP = """\
example:
  jaxmem simulate hodgkin_huxley_1952 --protocol "hold at -65 mV for 5 ms" \
      --protocol "step from -80 to 40 mV in 20 mV steps for 20 ms" --temperature "6.3 C"
"""


SWEEP_HELP = """\
example of a file:
  model = "hodgkin_huxley_1952"
  capacitance = "1 uF/cm2"
  stimulus = "hold at 10 uA/cm2 for 100 ms"
  record = ["spike_count", "mean"]
  [vary.gNa]
  from = "60 mS/cm2"
  to = "180 mS/cm2"
  count = 1000

The same command goes on with a sweep that was stopped. With --shard 0/4 to 3/4, four machines share one.
"""


PORE_HELP = """\
example of a file:
  [[segments]]
  length = "1000 nm"
  radius = ["3 nm", "50 nm"]
  wall_charge = "-0.1 e0/nm2"
  [species]
  K = { diffusion = "1.957 nm2/ns" }
  Cl = { diffusion = "2.032 nm2/ns" }
  [bath]
  inside = { K = "100 mM", Cl = "100 mM" }
  outside = { K = "100 mM", Cl = "100 mM" }
  [vary.voltage]
  from = "-1 V"
  to = "1 V"
  count = 41
"""


def build() -> argparse.ArgumentParser:
    """The parser of the whole command line; `options.run(options)` of what it parses does the work."""
    parser = Parser(
        prog="jaxmem",
        description="Differentiable membrane transport: from a voltage-clamp recording to a fitted channel.",
        epilog="jaxmem COMMAND --help says more. JAXMEM_DEBUG=1 shows where an error comes from.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _fit(commands)
    _simulate(commands)
    _sweep(commands)
    _pore(commands)

    models = _command(commands, "models", "list the models that ship, or show one", "listings", "models")
    models.add_argument("--show", metavar="NAME", help="the parameters of one model, and its model file")

    _command(commands, "datasets", "list the recordings that can be fitted by name", "listings", "datasets")

    check = _command(commands, "check", "recompute reference cases and compare", "check", "check")
    check.add_argument("paths", nargs="*", metavar="FILE_OR_FOLDER", help="JSON cases (default: those that ship)")
    check.add_argument("--quiet", action="store_true", help="print only what falls short, and the totals")

    _command(commands, "doctor", "print versions, devices and settings, for a bug report", "listings", "doctor")
    return parser


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where help is, and exits."""
        self.exit(2, f"jaxmem: {message} (see {self.prog} --help)\n")


class Version(argparse.Action):
    """Prints the version when asked, and reads it only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_) -> None:
        """Prints and exits."""
        from importlib.metadata import version

        print(f"jaxmem {version('jaxmem')}")
        parser.exit()


def _later(module: str, function: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        return getattr(importlib.import_module(f".{module}", __package__), function)(options)

    return run


def _command(
    commands, name: str, summary: str, module: str, function: str, epilog: str = ""
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=_later(module, function), parser=parser)
    return parser


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, but is '{text}'")
    return value


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for piece in text.split(","):
        first, dash, last = piece.partition("-")
        if not (first.strip().isdecimal() and (not dash or last.strip().isdecimal())):
            raise argparse.ArgumentTypeError(f"must be numbers and ranges such as 0,2-5, but is '{text}'")
        found += range(int(first), min(int(last or first), int(first) + 100_000) + 1)
    return found


def _conditions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--temperature", metavar="T", help='with its unit: "21.4 C" or "294.5 K"')
    parser.add_argument("--bath", metavar="IONS", help='concentrations inside|outside in mM: "K=130|4,Na=10|145"')


def _command_options(parser) -> None:
    parser.add_argument(
        "--holding",
        type=float,
        metavar="MV",
        help="in whose steady state every sweep starts (default: the first voltage of a protocol's first sweep; of a "
        "command inside a recording, each sweep's own)",
    )
    parser.add_argument(
        "--linear",
        action="store_true",
        help="straight lines join the samples of a command, instead of each being held until the next",
    )


def _fit(commands) -> None:
    parser = _command(commands, "fit", "fit a model to recordings or measurements", "fitting", "fit", FIT_HELP)
    parser.add_argument(
        "dataset",
        nargs="?",
        help="a data set that ships (default: hodgkin_huxley_1952; see `jaxmem datasets`)",
    )

    known = parser.add_argument_group("a data set that ships")
    known.add_argument("--cell", type=int, metavar="N", help="which cell of the data set")
    known.add_argument("--free-g", action="store_true", help="hodgkin_huxley_1952: free the conductance, too")

    own = parser.add_argument_group("your own data")
    own.add_argument("--recording", nargs="+", metavar="FILE", help="CSV, NPZ, MAT or ABF; several are fitted jointly")
    own.add_argument(
        "--measurement",
        nargs="+",
        metavar="FILE",
        help="steady currents, conductances or reversal potentials, each at its voltage and solutions, as CSV; several "
        "are fitted jointly",
    )
    own.add_argument(
        "--relative-to",
        type=int,
        metavar="N",
        help="of measurements: their values are relative to that of the N-th point, counted from 0",
    )
    own.add_argument("--model", metavar="FILE.toml", help="a model file, or the name of a model that ships")
    own.add_argument("--units", metavar="COLUMN=UNIT,...", help="of columns that do not say theirs: time=s,current=nA")
    own.add_argument("--dt", metavar="T", help='sampling interval of files without times: "0.1 ms"')
    own.add_argument("--channel", type=int, metavar="N", help="which channel of an ABF file is the current")
    own.add_argument("--variable", metavar="NAME", help="which variable of a MATLAB file is the current")
    own.add_argument("--dac", type=int, metavar="N", help="which output of an ABF file commands the cell")
    own.add_argument("--sweeps", type=_numbers, metavar="0,2-5", help="which sweeps, counted from 0 (default: all)")
    own.add_argument("--delay", type=int, metavar="N", help="the current lags the command by N samples")
    own.add_argument("--blank", type=float, metavar="MS", help="leave out this long after each jump of the command")
    own.add_argument("--baseline", nargs=2, type=float, metavar=("T0", "T1"), help="subtract the mean of T0 to T1 ms")
    own.add_argument(
        "--subtract-leak",
        nargs="+",
        type=float,
        metavar="T",
        help="T0 T1 (ms) of a ramp, or of two steps, through which the leak to subtract is fitted, sweep by sweep",
    )
    own.add_argument("--window", nargs=2, type=float, metavar=("T0", "T1"), help="cut the recording to T0 to T1 ms")
    own.add_argument("--only", nargs=2, type=float, metavar=("T0", "T1"), help="fit only the samples of T0 to T1 ms")
    own.add_argument("--capacitance", type=float, metavar="PF", help="divide the current by it: a density in pA/pF")
    own.add_argument(
        "--sigma",
        nargs="+",
        type=float,
        metavar="S",
        help="noise by which residuals are divided, in the unit of the signal, one or one per file (default: the "
        "range of each recording)",
    )
    own.add_argument("--junction", type=float, metavar="MV", help="add this to the command (liquid junction)")
    _conditions(own)

    both = parser.add_argument_group("protocols")
    both.add_argument(
        "--protocol",
        nargs="+",
        metavar="NAME_OR_FILE",
        help="of a data set: which to fit, jointly; of your own data: the command, as a file or a sentence",
    )
    _command_options(both)
    both.add_argument("--held-out", nargs="+", metavar="NAME_OR_FILE", help="data to predict, not to fit")
    both.add_argument("--held-out-protocol", nargs="+", metavar="FILE", help="their commands, of your own data")

    how = parser.add_argument_group("the fit")
    starts = "how many random starts (default: 64; hodgkin_huxley_1952: 24)"
    how.add_argument("--starts", type=_count, metavar="N", help=starts)
    how.add_argument("--seed", type=int, default=0, metavar="N", help="of the starts (default: 0)")
    how.add_argument("--agree", type=_count, metavar="K", help="stop early when the best K starts agree")
    how.add_argument("--out", metavar="FOLDER", help="where to write (default: jaxmem_fit_RECORDING_MODEL)")
    how.add_argument("--quiet", action="store_true", help="no progress, no table")
    how.add_argument("--json", action="store_true", help="print summary.json on stdout, and nothing else")


def _simulate(commands) -> None:
    parser = _command(
        commands,
        "simulate",
        "run a model under a protocol and plot it",
        "simulating",
        "simulate",
        SIMULATE_HELP,
    )
    parser.add_argument("model", help="the name of a model that ships, or a TOML file")
    parser.add_argument(
        "--protocol",
        nargs="+",
        action="append",
        required=True,
        metavar="FILE_OR_SENTENCE",
        help='a file, or a sentence such as "step from -80 to 40 mV in 10 mV steps for 500 ms"; several join',
    )
    _command_options(parser)
    _conditions(parser)
    parser.add_argument(
        "--dt",
        metavar="T",
        help='between samples, also of a protocol file without times: "0.1 ms" (default: 1000 samples or more, at '
        "most 0.1 ms)",
    )
    parser.add_argument("--out", metavar="FOLDER", help="where to write (default: jaxmem_simulate_NAME)")
    parser.add_argument("--quiet", action="store_true", help="print nothing")


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and int(number) < int(count)):
        raise argparse.ArgumentTypeError(f"must be i/N, from 0/N to N-1/N, but is '{text}'")
    return int(number), int(count)


def _sweep(commands) -> None:
    parser = _command(commands, "sweep", "run a cell for many parameter sets", "sweeping", "run", SWEEP_HELP)
    parser.add_argument("file", metavar="FILE.toml", help="the cell, its stimulus, what is recorded and what varies")
    parser.add_argument(
        "--shard", type=_shard, default=(0, 1), metavar="i/N", help="compute every N-th chunk from the i-th, from 0 on"
    )
    parser.add_argument("--out", metavar="DIR", help="the Zarr store to write (default: jaxmem_sweep_FILE.zarr)")
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")


def _pore(commands) -> None:
    summary = "solve a pore by Poisson-Nernst-Planck equations"
    parser = _command(commands, "pore", summary, "poring", "run", PORE_HELP)
    parser.add_argument("file", metavar="FILE.toml", help="segments, ions, baths, and what varies")
    parser.add_argument("--out", metavar="FOLDER", help="where to write (default: jaxmem_pore_FILE)")
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")
