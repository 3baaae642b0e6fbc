"""What the default fit adds to its report: its rate laws beside the published ones and Table 1."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from .. import datasets, plot
from ..electrochemistry import as_bath
from ..report import Extra
from ..report.figures import Drawn

SOURCE = datasets.hodgkin_huxley_1952


def free(*, conductance: bool) -> Any:
    """The five parameters of the rates, and g with `conductance`."""
    return SOURCE.free(conductance=conductance)


def extra(found: Any, work: Any) -> Extra:
    """The figure, the table of rates and the rms of fitted and published laws."""
    laws = {"fitted": _laws(found.model, work), "published": _laws(SOURCE.model(), work)}
    curves = SOURCE.curves()
    v_table = np.array([c.depolarization for c in curves])
    rms = {name: SOURCE.rms_of_rates(*pair) for name, pair in laws.items()}
    rows = []
    for curve in curves:
        at = np.array([curve.depolarization])
        row = [curve.name, f"{curve.depolarization:g}"]
        for k, listed in enumerate((curve.alpha, curve.beta)):
            row += [f"{x:.3f}" for x in (listed, *(float(pair[k](at)[0]) for pair in laws.values()))]
        rows.append(row)
    last = ["rms", ""]
    for k in (0, 1):
        last += ["", *(f"{rms[name][k]:.4f}" for name in laws)]
    rows.append(last)
    header = (
        "curve",
        "V (mV)",
        "alpha_n: table",
        "fitted",
        "published",
        "beta_n: table",
        "fitted",
        "published",
    )
    experiment = work.experiments[0]
    v = np.linspace(0.0, 115.0, 231)
    named = {name: {"α_n": pair[0](v), "β_n": pair[1](v)} for name, pair in laws.items()}
    rates = {"α_n": [c.alpha for c in curves], "β_n": [c.beta for c in curves]}
    plateaus = np.array([[c.plateau] for c in curves])
    figure = plot.squid(
        SOURCE.load(scaled=False), plateaus * np.asarray(experiment.predict(found.model)), v,
        rates, named["fitted"], named["published"],
        v_table=v_table, labels=[c.name for c in curves], xlabel="depolarization from rest (mV)",
    )  # fmt: skip
    caption = (
        "Left: conductance curves A to K of Table 1 and the fit, each with the plateau of the table. Right: opening "
        "and closing rates, of the table, the fit and the published laws."
    )
    return Extra(
        figures=(Drawn("squid", figure, caption),),
        heading="Rates beside Table 1 and the published laws (1/ms)",
        table=(header, rows),
        note="rms: root mean square difference from the table, curves A to K; V is the depolarization.",
        summary={"rms_of_rates": {name: {"alpha_n": a, "beta_n": b} for name, (a, b) in rms.items()}},
    )


def _laws(model: Any, work: Any) -> tuple[Callable, Callable]:
    """alpha_n and beta_n as functions of arrays of depolarizations [mV]."""
    gate, bath = model.gating.gates[0], as_bath(work.experiments[0].bath)

    def of(law: Any) -> Callable[[Any], np.ndarray]:
        return lambda v: np.asarray(law(jnp.asarray(v, float), bath))

    return of(gate.opening), of(gate.closing)
