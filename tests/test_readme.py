"""Every ```python block of README.md and of the pages in docs/ runs, as a user would run it.

The blocks of one page are one program, in their order, under jax's default settings. Two are left out: a
block that follows the comment `<!-- not run: reason -->`, and docs/architecture.md (contracts, not programs).
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "docs" / "architecture.md"
PAGES = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if path != CONTRACTS and "_build" not in path.parts
]
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+)(?P<info>.*)$")
CODE = re.compile(r"python|\{code-cell\}.*")
NOT_RUN = re.compile(r"^ *<!-- not run: \S.*-->$")


def program(text: str) -> str:
    """The python blocks of a page, each on its own lines, so that a traceback names the page's line."""
    lines, running, fence, indent, before = [], False, None, "", ""
    for line in text.splitlines():
        match = FENCE.match(line)
        if fence is None and match:
            fence, indent, info = match["fence"], match["indent"], match["info"].strip()
            running = bool(CODE.fullmatch(info)) and not NOT_RUN.match(before)
            lines.append("")
        elif match and match["fence"] == fence and not match["info"].strip():
            fence, running = None, False
            lines.append("")
        else:
            lines.append(line.removeprefix(indent) if running else "")
        before = line if line.strip() else before
    return "\n".join(lines)


def code_pages() -> list[Path]:
    return [path for path in PAGES if program(path.read_text("utf-8")).strip()]


def test_blocks_keep_their_lines():
    page = "# Title\n\n```python\na = 1\n```\n\n<!-- not run: needs a file -->\n```python\nb = 2\n```\n\n"
    page += "```sh\nc = 3\n```\n- item\n  ```{code-cell} ipython3\n  d = 4\n  ```\n"
    assert program(page).splitlines() == ["", "", "", "a = 1", *[""] * 12, "d = 4"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_are_python(path):
    ast.parse(program(path.read_text("utf-8")), str(path))


@pytest.mark.slow
@pytest.mark.x64  # a page chooses its own precision, so one lane runs it
@pytest.mark.parametrize("path", code_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_run(path, tmp_path):
    script = tmp_path / f"{path.stem}.py"
    script.write_text(program(path.read_text("utf-8")), "utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env={**environment, "MPLBACKEND": "Agg", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
