"""Figures along trees: what is drawn is what was observed; animations are written; bad names are one line."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import plot, space
from jaxmem.results import RESULTS, InputError
from jaxmem.simulate import CellTrace


@pytest.fixture(scope="module")
def run():
    tree = space.tree({"a": space.Section(50.0, 1.0, 5), "b": space.Section(30.0, 1.0, 3, "a")})
    t = jnp.arange(0.0, 5.0)
    wave = jnp.sin(t[:, None] + jnp.arange(8.0)[None])
    return tree, CellTrace(t, wave[:, 0], {"V": wave, "K_outside": 4.0 + wave}, (), None, RESULTS.successful)


def test_kymograph_and_profiles_show_the_numbers(run):
    tree, trace = run
    ax = plot.kymograph(trace, tree, "K_outside", section="a")
    (mesh,) = ax.collections
    np.testing.assert_allclose(
        np.asarray(mesh.get_array()).reshape(5, 5), np.asarray(trace.observed["K_outside"])[:, :5].T
    )
    assert ax.get_ylabel() == "distance (um)" and ax.figure.axes[1].get_ylabel() == "K outside (mM)"
    assert plot.kymograph(trace, tree).get_ylabel() == "compartment"
    ax = plot.profiles(trace, tree, times=[0.0, 3.2], section="b")
    np.testing.assert_allclose(ax.lines[1].get_xdata(), np.asarray(tree.distance)[5:])
    np.testing.assert_allclose(
        ax.lines[1].get_ydata(), np.asarray(trace.v)[3] * 0 + np.asarray(trace.observed["V"])[3, 5:]
    )
    assert len(plot.kymographs(trace, tree, ["V", "K_outside"]).axes) == 4


@pytest.mark.parametrize(("ending", "start"), [("gif", b"GIF"), ("html", b"\n<link")])
def test_animations_are_written(run, tmp_path, ending, start):
    tree, trace = run
    path = plot.animate(trace, tree, tmp_path / f"wave.{ending}", ["V", "K_outside"], section="a", frames=3)
    assert path.read_bytes().startswith(start)


def test_bad_names_are_one_line(run, tmp_path):
    tree, trace = run
    for call in (
        lambda: plot.kymograph(trace, tree, "Ca_outside"),
        lambda: plot.animate(trace, tree, tmp_path / "wave.png"),
        lambda: plot.profiles(trace, tree, times=[0.0], section="c"),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert "\n" not in str(caught.value)
