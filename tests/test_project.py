"""What holds for the project as a whole: its dependencies, and rules that every file keeps."""

import ast
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxmem

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "jaxmem").rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

#: Releases that compute wrongly (jax issue 39103) or crash (39257) on the CPU.
BROKEN = {"0.10.2", "0.11.0", "0.11.1"}
FORBIDDEN_CALLS = {"eval", "exec", "sympify", "__import__"}
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
LONGEST = 400


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def unsafe(module: ast.Module) -> list[ast.AST]:
    """The nodes that evaluate text or unpickle bytes."""
    found: list[ast.AST] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                found.append(node)
            found += [k for k in node.keywords if k.arg == "allow_pickle" and getattr(k.value, "value", True)]
        elif isinstance(node, ast.Import) and FORBIDDEN_IMPORTS & {a.name.split(".")[0] for a in node.names}:
            found.append(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS:
            found.append(node)
    return found


def undocumented(module: ast.Module) -> list[ast.AST]:
    """The public functions and classes without a docstring; a module that starts with nothing counts too."""
    found: list[ast.AST] = [] if ast.get_docstring(module) else [module]
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            found += [] if ast.get_docstring(node) else [node]
    return found


@pytest.mark.parametrize("package", ["jax", "jaxlib"])
def test_broken_releases_are_excluded(package):
    (requirement,) = [r for r in PYPROJECT["dependencies"] if r.startswith(f"{package}>")]
    clauses = requirement.removeprefix(package).split(",")
    assert {f"!={release}" for release in BROKEN} <= set(clauses)
    assert version(package) not in BROKEN


def test_all_extras_are_all_but_the_peers():
    extras = PYPROJECT["optional-dependencies"]
    assert extras["all"] == ["jaxmem[io,sweep,test,docs]"]
    assert set(extras) == {"io", "sweep", "test", "docs", "all", "bench"}


def test_version_is_that_of_the_project():
    assert jaxmem.__version__ == PYPROJECT["version"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {PYPROJECT['version']}\n" in citation
    assert f"## {PYPROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("dtype", [pytest.param(jnp.float64, marks=pytest.mark.x64), jnp.float32])
def test_jit_equals_eager_on_many_different_rows(dtype):
    rows = 40_000
    i = jnp.arange(rows, dtype=dtype)
    x = jnp.stack((i, 2 * i, jnp.ones_like(i)), axis=1)
    matrix = jnp.asarray(np.arange(9.0).reshape(3, 3) - 4.0, dtype)

    def f(x):
        return jax.vmap(lambda row: jnp.sum((matrix @ row) ** 2))(x)

    exact = np.sum((np.asarray(x, np.float64) @ np.asarray(matrix, np.float64).T) ** 2, axis=1)
    tolerance = 10 * jnp.finfo(dtype).eps
    np.testing.assert_allclose(f(x), exact, rtol=tolerance)
    np.testing.assert_allclose(jax.jit(f)(x), exact, rtol=tolerance)


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("eval('1')", 1),
        ("exec(text)", 1),
        ("import pickle", 1),
        ("from pickle import loads", 1),
        ("np.load(f, allow_pickle=True)", 1),
        ("np.load(f, allow_pickle=flag)", 1),
        ("np.load(f, allow_pickle=False)", 0),
        ("evaluate(x); model.eval_shape()", 0),
    ],
)
def test_the_rule_on_unsafe_code_catches_it(code, count):
    assert len(unsafe(ast.parse(code))) == count


def test_nothing_from_outside_is_evaluated_or_unpickled():
    assert [place(path, node) for path in SOURCES for node in unsafe(tree(path))] == []


def test_no_file_outgrows_its_noun():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_every_public_name_has_a_docstring():
    assert len(undocumented(ast.parse("def f(): ...\nclass A: ...\ndef _g(): ..."))) == 3
    assert [place(path, node) for path in SOURCES for node in undocumented(tree(path))] == []


def test_docstrings_are_whole():
    """No stray quotes, as two string literals in one docstring leave them."""
    stray = re.compile(r'"\n\s*"')
    assert stray.search('one half "\n    "and the other')
    broken = [
        place(path, node)
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and (text := ast.get_docstring(node, clean=False))
        and (stray.search(text) or text.rstrip(" ").endswith('"'))
    ]
    assert broken == []


def test_nothing_is_left_to_do():
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")
    lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if any(mark in line for mark in marks)
    ]
    assert lines == []
