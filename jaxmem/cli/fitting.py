"""`jaxmem fit`: fit, predict, report."""

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from .progress import Progress, duration
from .setting import prepare
from .table import table

OWN = "jaxmem_fit_"


def fit(options: argparse.Namespace) -> int:
    """Runs the fit, or continues it, and writes the report; 1 if no start converged."""
    prepare()
    import jax

    from .. import fit as engine
    from .. import report
    from ..report import files
    from .jobs import job

    work = job(options)
    begun = lambda place: (place / "progress.npz").exists()
    folder = files.claim(options.out or OWN + work.name, (*report.FILES, "*.png"), begun)
    options.after_interrupt = f"; the same command continues the fit in {folder}"
    progress = Progress("fit", quiet=options.quiet)
    try:
        found = engine.least_squares(
            work.experiments, work.model, work.free, key=jax.random.key(options.seed),
            starts=options.starts or work.starts, agree=options.agree, folder=folder, progress=progress,
        )  # fmt: skip
    finally:
        progress.close()
    held_out = [engine.held_out(found, experiment) for experiment in work.held_out]
    extra = work.finish(found, work)
    extra = replace(extra, command=_command(options))
    summary = report.write(
        found, held_out, folder, experiments=work.experiments, held_out_experiments=work.held_out,
        model_file=work.chosen.file, gates=work.chosen.gates, channels=work.chosen.channels,
        reference=work.reference, protocols=work.protocols, title=work.title, extra=extra,
    )  # fmt: skip
    if options.json:
        sys.stdout.write((folder / "summary.json").read_text("utf-8"))
    elif not options.quiet:
        _show(summary, extra, work, folder)
    if not any(engine.Ending(code).converged for code in found.lanes.endings):
        print(f"jaxmem: no start converged. {found.result}", file=sys.stderr)
        return 1
    return 0


def _command(options: argparse.Namespace) -> str:
    words = getattr(options, "words", None)
    return "" if words is None else shlex.join(["jaxmem", *words])


def _show(summary: dict, extra, work, folder: Path) -> None:
    from ..report.numbers import digits, interval, percent, with_error
    from ..report.summary import remark
    from .conditions import shown

    independent = all(e.independent for e in work.experiments)
    rows = []
    for name, row in summary["parameters"].items():
        value, error = with_error(row["value"], row["standard_error"])
        ends = interval(row["interval_lower"], row["interval_upper"], row["standard_error"])
        other = ends if independent else digits(row["naive_error"], 2)
        rows.append((name, value, error, other, row["unit"], remark(row)))
    print(f"{work.title}")
    print(f"at {'; at '.join(dict.fromkeys(shown(e.conditions) for e in (*work.experiments, *work.held_out)))}\n")
    beside = "95 % interval" if independent else "if independent"
    print(table(("parameter", "value", "+/-", beside, "unit", ""), rows, right=(1, 2, 3)))
    if independent:
        freedom = digits(summary["degrees_of_freedom"])
        print(f"+/-: standard error, from independent points; {freedom} degrees of freedom")
    else:
        print("+/-: standard error, from blocks of samples; 'if independent': what it would be were the noise white")
    share = percent(summary["fraction_within_1_percent"])
    print(f"\nrmse {digits(summary['rmse'])}, {digits(summary['rmse_over_range'])} of the range")
    print(f"{share} of {summary['starts']} starts ended within 1 % of the best")
    for left in summary["held_out"]:
        rmse, relative = digits(left["rmse"]), digits(left["rmse_over_range"])
        print(f"held out {left['protocol']}: rmse {rmse}, {relative} of the range")
    for combination in summary["undetermined"]:
        print(f"not determined by the data: {combination}")
    if extra.table is not None:
        header, lines = extra.table
        print(f"\n{extra.heading}\n")
        print(table(header, lines, right=range(1, len(header))))
        print(f"{extra.note}")
    seconds = summary["seconds"]
    print(f"\ncompiled in {duration(seconds['compile'])}, ran in {duration(seconds['run'])}; ", end="")
    print(f"the report is {folder / 'report.html'}")
