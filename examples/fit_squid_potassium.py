"""Hodgkin and Huxley's potassium conductance: five parameters fitted to the curves of their Table 1.

The curves A to K of the 1952 paper are rebuilt from its table, each is scaled to its plateau, and the rate laws

    alpha_n(v) = a (v - v0)/s / (1 - exp(-(v - v0)/s)),    beta_n(v) = b exp(-v/c)

are fitted to all of them at once; v is the depolarization from rest. By eye, in 1952, they found a = 0.1 /ms,
v0 = 10 mV, s = 10 mV, b = 0.125 /ms and c = 80 mV.
"""

import pathlib

import jax
import numpy as np

import jaxmem as jm


def main(folder: str | pathlib.Path = "figures", starts: int = 16) -> dict[str, float]:
    """Fit, draw, and return the root mean square distance of alpha and beta from the table [1/ms]."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    squid = jm.datasets.DATASETS["hodgkin_huxley_1952"]
    curves = squid.experiment()
    found = jm.fit.least_squares([curves], squid.model(), squid.free(), key=jax.random.key(0), starts=starts)
    print(found)

    gate, bath = found.model.gating.gates[0], curves.bath
    table = squid.module.curves()
    v = np.array([row.depolarization for row in table])
    alpha, beta = np.asarray(gate.opening(v, bath)), np.asarray(gate.closing(v, bath))

    figure = jm.plot.overlay(curves.recording, curves.predict(found.model))
    jm.plot.save(figure, folder / "fit_squid_potassium.png")
    return {
        "alpha_rms": float(np.sqrt(np.mean((alpha - [row.alpha for row in table]) ** 2))),
        "beta_rms": float(np.sqrt(np.mean((beta - [row.beta for row in table]) ** 2))),
        "agreement": float(found.fraction_within_1_percent),
    }


if __name__ == "__main__":
    print(main())
