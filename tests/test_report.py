"""The folder that a fit leaves behind: it loads back, needs nothing from outside, and is written whole or
not at all."""

import math
import os
from html.parser import HTMLParser

import pytest

from jaxmem.report import files, page
from jaxmem.report.numbers import digits, percent, with_error
from jaxmem.results import InputError

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
    (tmp_path / "model.toml").write_text("mine")
    with pytest.raises(InputError, match=r"already holds model\.toml"):
        files.claim(tmp_path, ("report.html", "model.toml"), "progress.npz")
    (tmp_path / "progress.npz").write_text("")
    assert files.claim(tmp_path, ("report.html", "model.toml"), "progress.npz") == tmp_path


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
