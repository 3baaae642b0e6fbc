"""What cannot be is refused in one line that says what must hold and what was given."""

import re

import jax
import numpy as np
import pytest

from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Ca, Cl, K, Species
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

D = {K: 1.957, Cl: 2.032}
T = 298.15
BATH = Bath({K: 100.0, Cl: 100.0}, {K: 10.0, Cl: 10.0}, T)
PORE = ed.Pore([5.0, 5.0], D, radius=1.0)


def refused(call):
    with pytest.raises((InputError, ValueError)) as problem:
        call()
    text = str(problem.value)
    assert "\n" not in text and text.endswith((".", "...")), text
    return text


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([0.0, 5.0, 4.0, 10.0], "must be at least three, and increase"),
        ([0.0, 5.0, 5.0, 10.0], "must be at least three, and increase"),
        ([0.0, 10.0], "must be at least three, and increase"),
        ([0.0, np.nan, 5.0, 10.0], "must be at least three, and increase"),
        ([0.0, 4.0, 10.0], "that at 5 nm is missing"),
        ([0.0, 5.0, 9.0], "that at 10 nm is missing"),
        ([-1.0, 0.0, 5.0, 10.0], "or nodes lie outside"),
    ],
)
def test_meshes(x, message):
    assert message in refused(lambda: ed.at(np.asarray(x), PORE))


def test_too_few_cells():
    assert "an edge for each of 2 segments, but `cells` is 1" in refused(lambda: ed.uniform(PORE, 1))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"length": 0.0}, "The length must be positive, but is 0 nm"),
        ({"length": [5.0, -1.0]}, "The length must be positive, but is -1 nm"),
        ({"radius": -0.5}, "The radius must be positive, but is -0.5 nm"),
        ({"radius": [1.0, 0.0]}, "The radius must be positive, but is 0 nm"),
        ({"permittivity": 0.0}, "The permittivity must be positive, but is 0"),
        ({"permittivity": np.inf}, "The permittivity must be positive"),
        ({"diffusion": {K: 0.0, Cl: 1.0}}, "The diffusion of K must be positive, but is 0 nm2/ns"),
        ({"diffusion": {K: 1.0, Cl: np.nan}}, "The diffusion of Cl must be positive"),
        ({"diffusion": {}}, "must name at least one species"),
        ({"diffusion": {"K": 1.0}}, "must be Species, but 'K' was given"),
        ({"partition": {K: -1.0}}, "must not be negative, but that of K is -1"),
        ({"partition": {Ca: 1.0}}, "`partition` names Ca, which has no diffusivity"),
        ({"fixed_charge": [1.0, 2.0, 3.0]}, "must be a number or one per segment"),
        ({"radius": None}, "A tube must have a `radius`"),
        ({"shape": ed.Planar(1.0)}, "Planar has its own size and takes no `radius`"),
    ],
)
def test_pores(more, message):
    given = {"length": 10.0, "diffusion": D, "radius": 1.0, **more}
    assert message in refused(lambda: ed.Pore(given.pop("length"), given.pop("diffusion"), **given))


def test_baths_must_be_neutral_and_hold_every_species():
    cases = {
        "The bath inside must be neutral, but its charges add up to +20 mM; add 20 mM of an anion": (
            Bath({K: 100.0, Cl: 80.0}, {K: 10.0, Cl: 10.0}, T)
        ),
        "The bath outside must be neutral, but its charges add up to -5 mM; add 5 mM of a cation": (
            Bath({K: 100.0, Cl: 100.0}, {K: 5.0, Cl: 10.0}, T)
        ),
        "must hold every species of the pore, but lacks K": Bath({Cl: 0.0}, {Cl: 0.0}, T),
        "negative": Bath({K: -1.0, Cl: -1.0}, {K: 10.0, Cl: 10.0}, T),
    }
    for message, bath in cases.items():
        assert message in refused(lambda bath=bath: ed.solve(PORE, 0.0, bath))
        assert message in refused(lambda bath=bath: ed.reversal_potential(PORE, bath))


def test_ends_name_species_of_the_pore():
    other = Species("X", 1)
    for ends in (
        (ed.End(passes=(K, other)), ed.End()),
        (ed.End(), ed.End(passes=(K,), inflow={other: np.asarray(1.0)})),
    ):
        text = refused(lambda ends=ends: ed.solve(PORE, 0.0, BATH, ends=ends))
        assert "X, which is not in the pore" in text and "K, Cl" in text
    text = refused(lambda: ed.solve(PORE, 0.0, BATH, filling={other: 1.0}))
    assert "`filling` names X, which is not in the pore" in text


def test_a_potential_must_be_held_somewhere():
    loose = ed.End(passes=(), contact=ed.Charged(0.1))
    assert "must be held" in refused(lambda: ed.solve(PORE, 0.0, BATH, ends=(loose, loose)))


def test_without_float64_it_says_what_to_type():
    with jax.enable_x64(False):
        pore = ed.Pore(10.0, D, radius=1.0)
        bath = Bath({K: 100.0, Cl: 100.0}, {K: 10.0, Cl: 10.0}, T)
        for verb in (lambda: ed.solve(pore, 0.0, bath), lambda: ed.reversal_potential(pore, bath)):
            text = refused(verb)
            assert re.search(r"float64: jax\.config\.update\('jax_enable_x64', True\)", text)
