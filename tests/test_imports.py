"""The order of the layers in docs/architecture.md, read from there, holds for every import of the package."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jaxmem

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "jaxmem"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

#: What the core (everything above the line) must not do, by the name that is called.
CORE_FORBIDS = {"print", "open", "input", "read_text", "write_text", "read_bytes", "write_bytes", "savefig"}


def layers() -> tuple[list[str], list[str]]:
    """The modules above and below the line, in their order."""
    block = re.search(r"^```layers\n(.*?)^```", ARCHITECTURE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert block, f"{ARCHITECTURE} must hold a ```layers block"
    above, below = re.split(r"^-+$", block[1], flags=re.MULTILINE)
    return above.split(), below.split()


CORE, OUTER = layers()
ORDER = [*CORE, *OUTER]


def module_of(path: Path) -> str:
    """The layer that a file belongs to: a package counts as one module."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def files(modules) -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if module_of(path) in modules]


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file as (line, absolute name), those inside functions included."""
    package = ("jaxmem", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*parent, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def run(code: str) -> str:
    """Runs code in a fresh interpreter on the package that is installed."""
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_module_stands_in_the_list_and_the_list_is_true():
    found = {module_of(path) for path in PACKAGE.rglob("*.py")} - {"__init__", "__main__"}
    assert found - set(ORDER) == set(), "add these modules to the ```layers block of docs/architecture.md"
    assert set(ORDER) - found == set(), (
        "the ```layers block of docs/architecture.md names modules that are not there"
    )


def test_the_namespace_is_the_list():
    public = {name for name in ORDER if not name.startswith("_")} - {"cli"}
    assert jaxmem._MODULES == public
    for_types = {name for _, name in imported(PACKAGE / "__init__.py") if name.startswith("jaxmem.")}
    assert for_types == {f"jaxmem.{name}" for name in public}


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_upward(module):
    allowed = set(ORDER[: ORDER.index(module) + 1])
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files({module})
        for line, name in imported(path)
        if name.startswith("jaxmem.") and name.split(".")[1] not in allowed and name != "jaxmem.__version__"
    ]
    assert not wrong


@pytest.mark.parametrize("module", CORE)
def test_the_core_neither_prints_plots_nor_opens_files(module):
    wrong = []
    for path in files({module}):
        place = path.relative_to(ROOT)
        wrong += [
            f"{place}:{line} imports {name}" for line, name in imported(path) if name.startswith("matplotlib")
        ]
        for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called.split(".")[-1] in CORE_FORBIDS or called.endswith("config.update"):
                    wrong.append(f"{place}:{node.lineno} calls {called}")
    assert not wrong


def test_the_rules_catch_what_they_forbid(tmp_path, monkeypatch):
    (tmp_path / "low").mkdir()
    path = tmp_path / "low" / "file.py"
    path.write_text(
        "from ..high import x\nfrom . import y\nfrom .z import w\ndef f():\n    import jaxmem.plot\n"
    )
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    assert [name for _, name in imported(path)] == [
        "jaxmem.high.x",
        "jaxmem.low.y",
        "jaxmem.low.z.w",
        "jaxmem.plot",
    ]
    assert module_of(path) == "low"


def test_import_jaxmem_does_not_import_jax():
    assert run("import sys, jaxmem; print(sorted({'jax', 'numpy', 'matplotlib'} & set(sys.modules)))") == "[]"


def test_importing_the_core_changes_no_setting_of_jax():
    code = f"""
import importlib, sys
import jax
before = dict(jax.config.values)
for name in {CORE!r}:
    importlib.import_module("jaxmem." + name)
print({{key: now for key, was in before.items() if (now := jax.config.values[key]) != was}})
print(sorted({{"matplotlib", "pandas", "pooch"}} & set(sys.modules)))
"""
    assert run(code).splitlines() == ["{}", "[]"]


def test_a_name_that_is_not_there_is_named():
    with pytest.raises(AttributeError, match=r"no attribute 'gatings'; its modules are .*gating"):
        _ = jaxmem.gatings
    assert {"gating", "__version__"} <= set(dir(jaxmem))
