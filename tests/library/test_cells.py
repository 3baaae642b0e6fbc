"""Every cell of the library builds, starts and moves."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import library, params
from jaxmem.cell import AbstractCell
from jaxmem.cli import main
from jaxmem.results import InputError


@eqx.filter_jit
def looked_at(cell):
    state = cell.init()
    return state, cell.derivative(state, jnp.zeros_like(cell.voltage(state))), cell.voltage(state), cell.observe(state)


@pytest.mark.parametrize("name", library.CELLS)
def test_every_listed_cell_starts_and_has_a_source(name):
    entry, module = library.CELLS[name], library.load(name)
    assert module is getattr(library, name) and entry.doi.startswith("10.")
    assert entry.doi in module.__doc__ and "**Source:**" in module.__doc__
    cell = module.model()
    assert isinstance(cell, AbstractCell)
    state, slope, v, seen = looked_at(cell)
    assert jax.tree.structure(state) == jax.tree.structure(slope)
    for x, dx in zip(jax.tree.leaves(state), jax.tree.leaves(slope), strict=True):
        assert x.shape == dx.shape and x.dtype == dx.dtype == v.dtype and not x.weak_type
    assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves((state, slope, v, seen)))
    assert -120 < v < 0
    assert all(entry.domain.contains(float(x)) for entry in params.parameters(cell) for x in np.ravel(entry.value))


def test_cells_are_listed(capsys):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in library.CELLS)
    assert main(["models", "--show", "cressman_2009"]) == 0
    assert "surroundings.k_bath" in capsys.readouterr().out
    with pytest.raises(InputError, match="did you mean 'cressman_2009'"):
        library.load("cressman_2010")
