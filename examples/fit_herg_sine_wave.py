"""A real hERG recording: the 8 s sine-wave protocol of Beattie et al. 2018, fitted by gradient from random starts.

Eight kinetic parameters and the conductance of the two-gate model are fitted to 80 000 samples of a CHO cell's
current; the fitted channel then predicts the same cell's response to a series of cardiac action potentials, which
the fit never saw. The recording (CC BY 4.0) is fetched once and checked.
"""

import pathlib

import jax

import jaxmem as jm


def main(folder: str | pathlib.Path = "figures", cell: int = 5, starts: int = 16) -> dict[str, float]:
    """Fit, predict, draw, and return the errors over the range of the current."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    beattie = jm.datasets.DATASETS["beattie_2018"]
    training = beattie.experiment(cell=cell, protocol="sine_wave")
    found = jm.fit.least_squares(
        [training], beattie.model(cell=cell), beattie.free(cell=cell), key=jax.random.key(1), starts=starts
    )
    print(found)

    unseen = jm.fit.held_out(found, beattie.experiment(cell=cell, protocol="ap"))
    figure = jm.plot.overlay(training.recording, training.predict(found.model))
    jm.plot.save(figure, folder / "fit_herg_sine_wave.png")
    figure = jm.plot.overlay(beattie.load(cell=cell, protocol="ap"), unseen.prediction)
    jm.plot.save(figure, folder / "predict_herg_action_potentials.png")
    return {
        "sine_wave": float(found.rmse_over_range),
        "action_potentials": float(unseen.rmse_over_range),
        "agreement": float(found.fraction_within_1_percent),
    }


if __name__ == "__main__":
    print(main())
