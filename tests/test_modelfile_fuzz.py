"""Some hundred damaged model files: each is read, or refused in one line."""

import random

import pytest
from test_modelfile import GATES, TWO_STATE
from test_modelfile_pores import MEANINGS

from jaxmem import library, modelfile
from jaxmem.results import InputError

SOURCES = {
    "gates": [TWO_STATE, GATES, *map(library.text, ("herg_beattie_2018", "hodgkin_huxley_1952"))],
    "pores": [*(text for text, _ in MEANINGS.values()), library.text("gramicidin_monoi_1985")],
}
PIECES = [
    '"',
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "-",
    "\n",
    "\x00",
    "\u202e",
    "1e999",
    "-1",
    "0",
    "nan",
    "inf",
    "true",
    "[[x]]\n",
    '""',
    "[]",
    "{}",
    "1979-05-27",
    "9" * 5000,
    "[" * 2000,
    '"a"',
    '"-"',
    '"1 1/ms"',
    '"mV"',
    '"1 C"',
    '"-1e308 V"',
    "tie = 1\n",
    "tie = { a = 1, P = -1 }\n",
    '"1 kT"',
    '"5 kcal/mol"',
    "[permeation.open]\n",
    "[permeation.sites]\n",
    "[[permeation.edges]]\n",
    '["empty", "full"]',
    '["w"' + ', "w"' * 40 + "]",
    "exchange = { outside = { K = 1 } }\n",
    "[gating]\n",
    "[parameters.p1.value]\n",
    "[channels]\n",
    "[leak]\n",
    'note = "x"\n',
    'factor = [1, "b"]',
    "__class__",
    "é",
]


def mutated(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 3)):
        i, j = sorted((rng.randrange(len(text)), rng.randrange(len(text))))
        j = min(j, i + rng.choice((1, 3, 20, 200)))
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:i] + text[j:]
        elif kind == 1:
            text = text[:i] + rng.choice(PIECES) + text[i:]
        elif kind == 2:
            text = text[:i] + rng.choice(PIECES) + text[j:]
        elif kind == 3:
            text = text[:j] + text[i:j] + text[j:]
        else:
            words = text.split(" ")
            words[rng.randrange(len(words))] = rng.choice(PIECES)
            text = " ".join(words)
        text = text or " "
    return text


@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_are_read_or_refused_in_one_line(seed, sources):
    rng = random.Random(seed)
    refused = 0
    for k in range(50):
        text = mutated(sources[k % len(sources)], rng)
        try:
            file = modelfile.loads(text, "fuzz.toml")
            again = modelfile.loads(modelfile.dumps(file, file_values(file)), "fuzz.toml")
            assert again.values == file.values
            _ = file.free
        except InputError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 600 and str(error).startswith("fuzz.toml: ")
    assert refused > 15


def file_values(file):
    return {s.name: s.quantity.value for s in file.specifications if not s.tie}
