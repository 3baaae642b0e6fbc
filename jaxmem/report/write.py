"""A fit as a folder: report.html, figures, parameters.csv, model.toml, fit.npz and summary.json."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import modelfile
from ..modelfile import ModelFile
from . import figures, files, page
from .figures import Drawn
from .numbers import digits, interval, percent, with_error
from .summary import remark, said, summary, to_csv, to_json

if TYPE_CHECKING:
    from ..fit import Experiment, Fit, HeldOut

#: The files of a report beside its figures.
FILES = ("report.html", "summary.json", "parameters.csv", "model.toml", "fit.npz")


@dataclass(frozen=True)
class Extra:
    """What a job adds to its report.

    **Arguments:** `figures`: put before the others; `table`: header and rows under `heading`, with a
    `note`; `summary`: more keys of summary.json; `command`: the words that made the report.
    """

    figures: Sequence[Drawn] = ()
    heading: str = ""
    table: tuple[Sequence[str], Sequence[Sequence[str]]] | None = None
    note: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""


def write(
    fit: Fit,
    held_out: Sequence[HeldOut],
    folder: str | os.PathLike,
    *,
    experiments: Sequence[Experiment],
    held_out_experiments: Sequence[Experiment] = (),
    model_file: ModelFile | None = None,
    gates: Sequence[str] = (),
    channels: Sequence[str] = (),
    reference: Any = None,
    protocols: Mapping[str, str] | None = None,
    title: str = "",
    extra: Extra | None = None,
) -> dict[str, Any]:
    """Writes everything about a fit into a folder, each file whole or not at all; returns the content of summary.json.

    **Arguments:** `held_out`: predictions, in the order of `held_out_experiments`; `experiments`: those fitted;
    `model_file`: the model to write with the fitted values as model.toml; `gates`, `channels`: names of the gates and
    of the mechanisms; `reference`: a model of the same kind, drawn beside the fitted one, such as the published;
    `protocols`: what the protocol of an experiment of this name is called; `title`: of the page.
    **Raises:** `InputError` if the folder cannot be written.
    """
    folder, extra = files.folder(folder), extra or Extra()
    table = summary(
        fit, held_out, dict(extra.summary),
        experiments=experiments, held_out_experiments=held_out_experiments, protocols=protocols,
    )  # fmt: skip
    drawn = {
        "fit": [*extra.figures, *figures.fits(fit, experiments)],
        "profile": figures.profiles(fit),
        "along": figures.along(fit, experiments),
        "cycle": figures.turns(fit, experiments),
        "curves": figures.curves(fit, experiments, gates, channels, reference),
        "quality": figures.quality(fit),
        "held_out": figures.predictions(fit, held_out, held_out_experiments),
    }
    pictures: dict[str, str] = {}
    for group, items in drawn.items():
        for item in items:
            data = files.png(item.figure)
            files.write(folder / f"{item.name}.png", data)
            pictures[group] = pictures.get(group, "") + page.picture(data, item.caption, half=item.half)
    if model_file is not None:
        values = {p.name: float(v) for p, v in zip(fit.free.parameters, fit.values, strict=True)}
        files.write(folder / "model.toml", modelfile.dumps(model_file, values))
    files.write(folder / "parameters.csv", to_csv(table["parameters"]))
    fit.save(folder / "fit.npz")
    title = title or ", ".join(e.name for e in experiments)
    files.write(folder / "report.html", page.page(title, _parts(fit, table, pictures, title, experiments, extra)))
    files.write(folder / "summary.json", to_json(table))  # last: its presence says that the rest is there
    return table


def _parts(
    fit: Fit,
    table: Mapping[str, Any],
    pictures: Mapping[str, str],
    title: str,
    experiments: Sequence[Experiment],
    extra: Extra,
) -> list[str]:
    count = len(table["parameters"])
    independent = all(e.independent for e in experiments)
    fitted = f"{count} parameters fitted to {_size(experiments)}"
    parts = [
        page.heading(title, 1),
        page.paragraph(
            ", ".join(filter(None, (fitted, said(table["conditions"])))) + ".",
            "quiet",
        ),
        page.facts(
            [
                *_rmse(table),
                ("RMSE / range", digits(fit.rmse_over_range)),
                ("starts within 1 %", f"{percent(fit.fraction_within_1_percent)} of {table['starts']}"),
                *[(f"held out: {h['protocol']}", digits(h["rmse_over_range"])) for h in table["held_out"]],
                ("time", f"{fit.seconds['compile'] + fit.seconds['run']:.1f} s"),
            ]
        ),
    ]
    if table["undetermined"]:
        listed = "; ".join(table["undetermined"])
        parts.append(page.paragraph(f"The data do not determine: {listed}.", "note warn"))
    at_bound = [name for name, row in table["parameters"].items() if row["at_bound"]]
    if at_bound:
        parts.append(
            page.paragraph(
                f"On a bound: {', '.join(at_bound)}. Standard errors hold for the others with these fixed; "
                "if a bound is not physical, widen it.",
                "note warn",
            )
        )
    parts += [page.heading("Data and fit"), pictures.get("fit", "")]
    parts += [
        page.heading("Parameters"),
        _parameter_table(table["parameters"], independent),
        page.paragraph(_errors(fit, independent), "quiet"),
    ]
    limited = _limited(table["parameters"])
    parts += [page.paragraph(limited, "quiet")] if limited else []
    if extra.table is not None:
        parts += [
            page.heading(extra.heading),
            page.table(*extra.table, numbers=range(1, len(extra.table[0]))),
        ]
        parts += [page.paragraph(extra.note, "quiet")] if extra.note else []
    if "held_out" in pictures:
        parts += [page.heading("Prediction of data that were held out"), pictures["held_out"]]
    if "profile" in pictures:
        parts += [page.heading("Energy profile"), pictures["profile"]]
    if "along" in pictures:
        parts += [page.heading("Along the pore"), pictures["along"]]
    if "cycle" in pictures:
        parts += [page.heading("Cycle"), pictures["cycle"]]
    if "curves" in pictures:
        parts += [page.heading("Gating"), pictures["curves"]]
    if "quality" in pictures:
        parts += [page.heading("How well determined"), pictures["quality"]]
    parts.append(page.heading("How this was made"))
    if extra.command:
        parts.append(page.preformatted(extra.command))
    made = ", ".join(f"{name} {number}" for name, number in table["versions"].items())
    seconds = table["seconds"]
    took = f"Compiled in {digits(seconds['compile'], 3)} s, ran in {digits(seconds['run'], 3)} s."
    parts.append(
        page.paragraph(f"{took} {made}. The same numbers are in summary.json, parameters.csv and fit.npz.", "quiet")
    )
    return parts


def _size(experiments: Sequence[Experiment]) -> str:
    """How many samples of recordings and points of measurements are used, of how many."""
    texts = []
    for noun, kind in (("samples", False), ("points", True)):
        masks = [np.asarray(e.mask) for e in experiments if e.independent == kind]
        used, total = sum(int(m.sum()) for m in masks), sum(m.size for m in masks)
        if masks:
            texts.append((f"{used:,}" if used == total and kind else f"{used:,} of {total:,}") + f" {noun}")
    return " and ".join(texts).replace(",", "\u202f")


def _rmse(table: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The error over all samples if they are in one unit, of every experiment if they are not."""
    shown = lambda row: f"{digits(row['rmse'])} {row['unit']}".removesuffix(" 1")
    if table["unit"] is not None:
        return [("RMSE", shown(table))]
    return [(f"RMSE: {row['name']}", shown(row)) for row in table["experiments"]]


def _parameter_table(rows: Mapping[str, Mapping[str, Any]], independent: bool) -> str:
    """One line for each parameter; beside its error its interval, or what the error would be were samples independent;
    the search's bounds beside the starts'."""
    errors = ("± standard error", "95 % interval" if independent else "± if samples were independent")
    apart = any((r["start_lower"], r["start_upper"]) != (r["lower"], r["upper"]) for r in rows.values())
    ends = ("start range", "searched within") if apart else ("bounds",)
    header = ("parameter", "fitted", *errors, "unit", "start", *ends, "")
    lines, marked = [], []
    for k, (name, row) in enumerate(rows.items()):
        value, error = with_error(row["value"], row["standard_error"])
        other = digits(row["naive_error"], 2, padded=True)
        if independent:
            other = interval(row["interval_lower"], row["interval_upper"], row["standard_error"])
        starts, box = (_range(row, kind) for kind in ("start_", ""))
        if row["rate_lower"] is not None:
            box = f"rate {_range(row, 'rate_')} 1/ms"
        ranges = (starts, box) if apart else (box,)
        lines.append((name, value, error, other, row["unit"], digits(row["start"]), *ranges, remark(row)))
        marked.append((k, len(header) - 1))
    numbers = [k for k, text in enumerate(header) if text[:1] == "±" or text in ("fitted", "start")]
    return page.table(header, lines, numbers=numbers, marked=marked)


def _range(row: Mapping[str, Any], kind: str) -> str:
    return f"{digits(row[kind + 'lower'], 3)} to {digits(row[kind + 'upper'], 3)}"


def _limited(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """What the start ranges of rate-limited factors mean, if there are any."""
    names = ", ".join(name for name, row in rows.items() if row["rate_lower"] is not None)
    if not names:
        return ""
    return (
        f"{names}: each is the factor of a rate. Its start range holds for the drawn starts only; the search keeps the "
        "rate itself, where it is largest in the voltage range, within the limits given, so the factor may leave "
        "its start range."
    )


def _errors(fit: Fit, independent: bool) -> str:
    end = " The start is the one that led to the best fit."
    if independent:
        return (
            "Standard errors (one standard deviation) are those of independent points: the inverse of the curvature at "
            "the best fit (Laplace), scaled by the size of the residuals; errors given with the points are weights. "
            f"Intervals are Student's, with {digits(fit.degrees_of_freedom)} degrees of freedom.{end}"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.asarray(fit.standard_errors, float) / np.asarray(fit.naive_errors, float)
    ratio = ratio[np.isfinite(ratio)]
    times = float(fit.correlation_time)
    text = "Standard errors (one standard deviation) come from a block sandwich, which allows for correlation"
    if np.isfinite(times):
        text += f" (correlation time {digits(times, 3)} ms)"
    if ratio.size and ratio.max() > 1.05:
        span = " to ".join(dict.fromkeys(digits(x, 2) for x in (ratio.min(), ratio.max())))
        text += f"; errors that take every sample as independent would be {span} times smaller"
    return text + "." + end
