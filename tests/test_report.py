"""The folder that a fit leaves behind: it loads back, needs nothing from outside, and is written whole or
not at all."""

import csv
import json
import math
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from jaxmem import modelfile, report
from jaxmem.report import files, page
from jaxmem.report.numbers import digits, percent, with_error
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

# ---- numbers


def test_numbers_have_no_more_digits_than_their_errors():
    assert with_error(152.427, 1.234) == ("152.4", "1.2")
    assert with_error(2.2609e-4, 3.1e-6) == ("0.0002261", "3.1e-6")
    assert with_error(3.45e-5, 1e-6) == ("3.45e-5", "1.0e-6")
    assert with_error(0.0, 0.01) == ("0", "0.010")
    assert with_error(-88.3575, 0.2) == ("-88.36", "0.20")
    assert with_error(5.0, 1.2) == ("5.0", "1.2")
    assert with_error(5.0, 123.0) == ("5", "1.2e2")
    assert with_error(5.0, None) == ("5", "–") and with_error(5.0, math.nan)[1] == "–"


def test_digits_and_percent():
    assert [digits(x) for x in (0.0073024, 1234.5, 1e-7, math.nan, None)] == [
        "0.007302",
        "1234",
        "1e-7",
        "–",
        "–",
    ]
    assert percent(0.953125) == "95.3 %" and percent(1.0) == "100 %"


# ---- files


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    files.write(path, "one")
    assert path.read_text() == "one"

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match=r"a\.txt: cannot be written \(No space left on device\)"):
        files.write(path, "two")
    assert path.read_text() == "one" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_is_a_file_or_below_one_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="give another --out"):
            files.folder(bad)
    assert files.folder(tmp_path / "a" / "b").is_dir()


def test_files_of_others_are_not_overwritten(tmp_path):
    names = ("report.html", "model.toml", "*.png")
    assert files.claim(tmp_path, names, lambda place: False) == tmp_path
    (tmp_path / "model.toml").write_text("mine")
    (tmp_path / "any.png").write_text("mine")
    with pytest.raises(InputError, match=r"already holds any\.png, model\.toml"):
        files.claim(tmp_path, names, lambda place: False)
    assert files.claim(tmp_path, names, lambda place: (place / "model.toml").exists()) == tmp_path


# ---- pages


class Reader(HTMLParser):
    """Collects what a page holds, and whether its tags are closed."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_text_is_escaped_and_tags_are_closed():
    evil = "<script>alert('1 & 2')</script>"
    html = page.page(
        evil,
        [
            page.heading(evil),
            page.paragraph(evil, "note"),
            page.table((evil, "n"), [(evil, "1")], numbers=(1,), marked=[(0, 1)]),
            page.facts([(evil, evil)]),
            page.picture(b"\x89PNG", evil),
            page.preformatted(evil),
        ],
    )
    seen = Reader(html)
    assert not seen.open and "script" not in seen.tags
    assert seen.text.count("alert('1 & 2')") == 9
    assert seen.sources == ["data:image/png;base64,iVBORw=="]
    assert '<td class="number bound">1</td>' in html


# ---- a fit


@pytest.fixture(scope="module")
def fitted():
    """A small fit: two sweeps of a gate, of which the slope of closing and an idle conductance are free."""
    import jax

    from jaxmem import fit
    from jaxmem.recordings import Recording

    text = """
name = "gate"
[parameters]
a = { value = "0.1 1/ms", bounds = ["0.01 1/ms", "1 1/ms"], scale = "log" }
g = { value = "2 nS", bounds = ["0.2 nS", "2.5 nS"] }
idle = { value = "1 nS", bounds = ["0.1 nS", "10 nS"] }
[gating.gates.n]
opening = { law = "exponential", a = "a", b = "0.03 1/mV" }
closing = { law = "constant", k = "0.05 1/ms" }
[permeation]
kind = "ohmic"
g = "g"
reversal = "-80 mV"
[leak]
g = "idle"
reversal = "0 mV"
"""
    file = modelfile.loads(text)
    t = np.arange(0.0, 30.0, 0.5)
    v = np.where(t < 5.0, -80.0, np.array([[0.0], [0.0]]))
    blank = Recording(t, np.zeros(v.shape) + t, v, name="<sweeps>", mask=t > 5.0)
    true = np.asarray(fit.VoltageClamp(blank, 293.15).predict(file.build({"g": 3.0})))
    noise = 0.5 * np.random.default_rng(2).standard_normal(v.shape)
    noisy = Recording(t, true + noise, v, mask=blank.mask, name="<sweeps>")
    experiment = fit.VoltageClamp(noisy, 293.15)
    found = fit.least_squares([experiment], file.model, file.free, key=jax.random.key(0), starts=3)
    return found, experiment, file


def test_the_folder_of_a_fit(fitted, tmp_path):
    from jaxmem import fit

    found, experiment, file = fitted
    held = [fit.held_out(found, experiment)]
    rows = (("x", "y"), [("1", "2")])
    extra = report.Extra(command="jaxmem <fit>", heading="More", table=rows, summary={"more": 1})
    table = report.write(
        found, held, tmp_path / "out", experiments=[experiment], held_out_experiments=[experiment],
        model_file=file, gates=("n",), reference=file.model, protocols={"<sweeps>": "step"}, title="A & B", extra=extra,
    )  # fmt: skip
    folder = tmp_path / "out"
    pictures = {"fit.png", "gating.png", "agreement.png", "correlation.png", "held_out.png"}
    assert {p.name for p in folder.iterdir()} == {*report.FILES, *pictures}

    assert json.loads((folder / "summary.json").read_text()) == table
    row = table["parameters"]["g"]
    assert (row["value"], row["at_bound"], row["standard_error"]) == (2.5, "upper", None)
    assert table["parameters"]["idle"]["standard_error"] is None
    assert table["undetermined"] == [str(found.undetermined[0])]
    assert table["more"] == 1 and table["starts"] == 3
    assert (table["unit"], table["conditions"]) == ("pA", {"temperature": {"value": 293.15, "unit": "K"}})
    (left,) = table["held_out"]
    assert (left["protocol"], left["name"], left["unit"]) == ("step", "<sweeps>", "pA")
    assert left["conditions"] == table["conditions"] == table["experiments"][0]["conditions"]

    rows = list(csv.DictReader((folder / "parameters.csv").read_text().splitlines()))
    assert [r["name"] for r in rows] == ["a", "g", "idle"]
    assert [float(r["value"]) for r in rows] == found.values.tolist()
    assert rows[1]["standard_error"] == "" and rows[1]["unit"] == "nS"
    assert float(rows[0]["naive_error"]) == found.naive_errors[0]

    assert modelfile.load(folder / "model.toml").values["a"] == found.values[0]
    again = fit.load(folder / "fit.npz", file.model, file.free)
    np.testing.assert_array_equal(again.values, found.values)

    text = (folder / "report.html").read_text("utf-8")
    seen = Reader(text)
    assert not seen.open and len(seen.sources) == len(pictures)
    assert all(source.startswith("data:image/png;base64,") for source in seen.sources)
    assert not re.search(r"https?://|@import|url\(|<script|<link", text)
    for words in ("A & B", "at upper bound", "not determined", "On a bound: g", "jaxmem <fit>", "<sweeps>", "20 °C"):
        assert words in seen.text


def test_a_start_range_is_not_taken_for_a_bound(fitted, tmp_path):
    """The factor of a limited rate may leave its start range; what bounds it is the rate."""
    from dataclasses import replace

    from jaxmem.fit import Free, Parameter, RateLimit

    found, experiment, _ = fitted
    pair = (Parameter("k", "1/ms", 1e-7, 1e3, log=True), Parameter("b", "1/mV", 1e-7, 0.4))
    free = Free((*pair, found.free.parameters[2]), found.free.place, (RateLimit(0, 1, 60.0, 1.67e-5, 1e3),))
    values = np.array([1e-8, 0.1, 1.0])
    table = report.write(replace(found, free=free, values=values), [], tmp_path, experiments=[experiment])
    row = table["parameters"]["k"]
    assert (row["start_lower"], row["start_upper"], row["outside_start_range"]) == (1e-7, 1e3, True)
    assert (row["lower"], row["upper"], row["rate_lower"], row["rate_upper"]) == (None, None, 1.67e-5, 1e3)
    other = table["parameters"]["b"]
    assert (other["lower"], other["upper"], other["rate_lower"]) == (1e-7, 0.4, None)
    text = Reader((tmp_path / "report.html").read_text("utf-8")).text
    for words in ("outside start range", "rate 1.67e-5 to 1e3 1/ms", "1e-7 to 1e3", "its start range"):
        assert words in text


def test_ions_are_among_the_conditions(fitted):
    from jaxmem.electrochemistry import Bath, K, Solution
    from jaxmem.fit import VoltageClamp
    from jaxmem.report.summary import conditions

    _, experiment, _ = fitted
    bath = Bath(Solution({K: 130.0}), Solution({K: 4.0}), 294.5)
    assert conditions(VoltageClamp(experiment.recording, bath)) == {
        "temperature": {"value": 294.5, "unit": "K"},
        "concentrations": {"unit": "mM", "K": {"inside": 130.0, "outside": 4.0}},
    }


def test_a_report_that_cannot_be_written_leaves_no_half_files(fitted, tmp_path, monkeypatch):
    found, experiment, file = fitted
    real = os.replace

    def full(source, target):
        if str(target).endswith("report.html"):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        report.write(found, [], tmp_path, experiments=[experiment], model_file=file)
    assert not {"report.html", "summary.json"} & {p.name for p in tmp_path.iterdir()}
    assert not list(tmp_path.glob(".*"))


def test_protocols_have_their_own_names(shared):
    from jaxmem.cli.jobs import job
    from jaxmem.cli.parser import build

    work = job(build().parse_args(["fit", "beattie_2018", "--cell", "5"]))
    assert [work.protocols[e.name] for e in (*work.experiments, *work.held_out)] == ["sine_wave", "ap"]
    assert float(work.reference.permeation.reversal) == float(work.model.permeation.reversal)
