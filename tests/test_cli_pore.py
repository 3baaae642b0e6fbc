"""`jaxmem pore`: what its file says is what is solved; what it says wrongly is refused in one line."""

import csv

import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem.cli import main
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import Pore, graded, solve

xarray = pytest.importorskip("xarray")
pytestmark = pytest.mark.x64

PORE = """\
temperature = "20 C"
nodes = 25
concentration = { of = "K", side = "outside" }
[[segments]]
length = "2 nm"
radius = ["0.5 nm", "0.7 nm"]
fixed_charge = "-0.2 M"
[[segments]]
length = "0.003 um"
radius = "0.7 nm"
wall_charge = "-0.01 C/m2"
diffusion = { K = "1e-9 m2/s" }
partition = { Cl = 0.5 }
[species.K]
diffusion = "1.957 nm2/ns"
[species.Cl]
diffusion = "2.032 nm2/ns"
[bath]
inside = { K = "100 mM", Cl = "100 mM" }
outside = { K = "50 mM", Cl = "50 mM" }
[vary.voltage]
from = "-0.05 V"
to = "0.05 V"
count = 3
[vary.concentration]
values = [-1, 200]
unit = "mM"
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("jaxmem.cli.poring.prepare", lambda: None)
    (tmp_path / "my pore.toml").write_text(PORE)
    return tmp_path


@pytest.mark.slow
def test_a_file_says_all_of_a_pore(place, capsys):
    assert main(["pore", "my pore.toml"]) == 0
    out, _ = capsys.readouterr()
    assert "6 lanes: 3 successful\n  3 outside_domain" in out and "jaxmem_pore_my_pore/pore.csv" in out
    folder = place / "jaxmem_pore_my_pore"
    assert {"pore.csv", "pore.zarr", "current.png", "profile.png"} == {p.name for p in folder.iterdir()}

    pore = Pore(
        [2.0, 3.0],
        {K: [1.957, 1.0], Cl: 2.032},
        radius=[0.5, 0.7, 0.7],
        fixed_charge=[-200.0, 0.0],
        wall_charge=[0.0, -0.01 * 6.241509074460763],
        partition={Cl: [1.0, 0.5]},
    )
    bath = Bath({K: 100.0, Cl: 100.0}, {K: 200.0, Cl: 200.0}, 293.15)
    alone = solve(pore, 50.0, bath, mesh=graded(pore, bath, 25))
    found = xarray.open_zarr(folder / "pore.zarr").sel(voltage=50.0, concentration=200.0)
    assert_allclose(found.current, alone.current, rtol=1e-8)
    assert_allclose(found.potential, alone.potential, rtol=1e-7, atol=1e-7)
    assert_allclose(found.c_K, alone[K], rtol=1e-7)
    assert found.current.attrs == {"units": "pA"} and found.c_Cl.attrs == {"units": "mM"}
    with open(folder / "pore.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["result"] for row in rows] == ["outside_domain", "successful"] * 3
    assert_allclose(float(rows[5]["current [pA]"]), float(alone.current), rtol=1e-8)
    assert_allclose(float(rows[5]["current_K [pA]"]), float(alone.currents[0]), rtol=1e-8)
    assert np.isnan(float(rows[4]["current [pA]"])) and float(rows[1]["voltage [mV]"]) == -50.0


REFUSED = {
    ("[[segments]]\nlength", "[[segment]]\nlength"): "my pore.toml: unknown key 'segment'; did you mean 'segments'?",
    ('length = "2 nm"', "length = 2"): "segments[1].length: has no unit; write it, such as '1 nm'",
    ('length = "2 nm"', 'length = "2 mV"'): "segments[1].length: must be a finite number such as '1 nm', but is 2 mV",
    ('length = "2 nm"', 'length = "-2 nm"'): "segments: The length must be positive, but is -2 nm somewhere.",
    ('["0.5 nm", "0.7 nm"]', '["0.5 nm", "0.7 nm", "1 nm"]'): "radius: must be one radius or those of both ends, but",
    ("[species.Cl]", "[species.Xx]"): "species: unknown key 'Xx'",
    ('inside = { K = "100 mM"', 'inside = { K = "90 mM"'): "The bath inside must be neutral, but its charges add up to",
    ('K = "50 mM", Cl = "50 mM"', ""): "concentration.of: must be in the bath outside",
    ('of = "K"', 'of = "Na"'): "concentration.of: must be in the bath outside",
    ("[vary.voltage]", "[vary.voltge]"): "vary.voltge: the model has no such parameter; did you mean 'voltage'?",
    ("[vary.voltage]", '[vary."fixed_charge[7]"]'): "vary",
    ('concentration = { of = "K", side = "outside" }', ""): "concentration: must say whose, such as",
    ("nodes = 25", "nodes = 1"): "nodes: must be a whole number from 3",
    ("nodes = 25", 'shape = "planar"'): "belongs to a tube, but the shape is planar",
    ("nodes = 25", "nodes = "): "must be TOML, but is not",
}


@pytest.mark.parametrize("change", REFUSED, ids=" to ".join)
def test_a_bad_file_is_refused_in_one_line(change, place, capsys):
    (place / "my pore.toml").write_text(PORE.replace(*change, 1))
    assert main(["pore", "my pore.toml"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and REFUSED[change] in err
    assert not list(place.glob("jaxmem_pore*"))
