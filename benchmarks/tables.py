"""Print the tables of README.md from the JSON files under results/, or write them into it with --write.

The README holds a pair of comments, `<!-- tables -->` and `<!-- end of tables -->`; what is between them is
replaced.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

HERE = Path(__file__).resolve().parent
TITLES = {
    "herg_sine_wave": "hERG, two gates, sine wave, 80 000 samples",
    "markov_sine_wave": "Five-state Markov IKr, sine wave, 80 000 samples",
    "squid_family": "Squid axon Na + K, 13 x 1601 samples",
    "ionbench": "ionBench's fitting problems",
    "pump_sweep": "Pumps: turnover of many parameter sets",
    "barrier_pore": "Barrier pores: steady currents and energy derivatives",
    "hodgkin_huxley_cells": "Populations of Hodgkin-Huxley cells, 100 ms at a step of 0.025 ms",
    "hh_cable": "An axon of 1000 compartments, 100 ms at a step of 0.025 ms",
    "pnp_iv": "A charged pore: its current-voltage curve by Poisson-Nernst-Planck",
    "gpu": "Batches on an accelerator",
}
ONE_BELOW, OTHER_BELOW = "<!-- tables -->", "<!-- end of tables -->"


def _seconds(value: float) -> str:
    return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def _number(value: float | None) -> str:
    return (
        "never" if value is None or math.isinf(value) else f"{value:.3g}" if value < 100 else f"{value:,.0f}"
    )


def timings(rows: list[dict]) -> list[str]:
    """A table of timed tasks; the last column is the peer's time over jaxmem's for the same task."""
    ours = {row["task"]: row["median"] for row in rows if row["peer"] == "jaxmem"}
    lines = [
        "| who | what | median (range) | runs | set-up | error | times jaxmem's |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        error = ", ".join(f"{key} {value:.0e}" for key, value in row["errors"].items()) or "not checked"
        ratio = row["median"] / ours[row["task"]] if row["task"] in ours and row["peer"] != "jaxmem" else None
        span = f"{_seconds(row['median'])} ({_seconds(row['low'])} to {_seconds(row['high'])})"
        notes = [row["note"]] if row["note"] else []
        if "cell-steps" in row["work"]:
            rate = row["work"]["cell-steps"] / row["median"]
            notes += [f"{rate / 1e6:.3g} million cell-steps/s", f"{row['work']['peak MB']:.0f} MB"]
        what = row["task"] + (f" ({'; '.join(notes)})" if notes else "")
        last = f"{ratio:.3g}" if ratio else ""
        lines.append(
            f"| {row['peer']} | {what} | {span} | {row['runs']} | {row['setup']:.1f} s | {error} | {last} |"
        )
    return lines


def problems(rows: list[dict]) -> list[str]:
    """A table of ionBench's problems."""
    heads = (
        *("problem", "parameters", "solved", "expected run time, evaluations (5 to 95 %)", "published best"),
        *("seconds", "median of the solved: simulations + Jacobians", "error at the true parameters"),
    )
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        low, high = (_number(value) for value in row["expected_evaluations_5_95"])
        median = f"{_number(row['median_evaluations_solved'])} + {_number(row['median_jacobians_solved'])}"
        lines.append(
            f"| {row['problem']} | {row['parameters']} | {row['solved']}/{row['starts']} | "
            f"{_number(row['expected_evaluations'])} ({low} to {high}) | {_number(row['published_best'])} | "
            f"{_number(row['expected_seconds'])} | {median} | {row['error_at_truth']:.0e} |"
        )
    return lines


def section(path: Path) -> list[str]:
    """Heading, machine and table of one results file."""
    kept = json.loads(path.read_text())
    versions = ", ".join(f"{name} {version}" for name, version in kept["versions"].items())
    about = (
        f"{kept['date']}, commit {kept['commit']}, {kept['processor']}, cores used: {kept['cores']}; Python "
    )
    lines = [f"### {TITLES[kept['benchmark']]}", "", f"{about}{kept['python']}, {versions}.", ""]
    lines += problems(kept["rows"]) if kept["benchmark"] == "ionbench" else timings(kept["rows"])
    if kept.get("missing"):
        lines += [
            "",
            "Not measured: " + "; ".join(f"{peer} ({why})" for peer, why in kept["missing"].items()) + ".",
        ]
    return [*lines, ""]


def main() -> None:
    """Print the tables, or put them into the README."""
    parser = argparse.ArgumentParser(prog="tables")
    parser.add_argument("--write", action="store_true", help="replace the tables of README.md")
    asked = parser.parse_args()
    paths = [HERE / "results" / f"{name}.json" for name in TITLES]
    text = "\n".join(line for path in paths if path.exists() for line in section(path))
    if not asked.write:
        print(text)
        return
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(ONE_BELOW)
    _, after = rest.split(OTHER_BELOW)
    readme.write_text(f"{before}{ONE_BELOW}\n\n{text}\n{OTHER_BELOW}{after}")


if __name__ == "__main__":
    main()
