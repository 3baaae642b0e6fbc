"""The pieces of a self-contained HTML page: no script, nothing fetched, readable in print and on a phone."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

CSS = """
:root { color-scheme: light; --text: #23272e; --quiet: #5b6470; --rule: #dfe3e8; --shade: #f4f6f9; --accent:
#0072b2; } * { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
Roboto, sans-serif; } main { max-width: 860px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 1.1rem; margin: 40px 0 8px; padding-top: 12px; border-top: 1px solid var(--rule); }
p { margin: 8px 0; max-width: 46em; overflow-wrap: anywhere; }
.quiet, figcaption { color: var(--quiet); font-size: .875rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 20px
0 0; padding: 0; } .facts div { background: var(--shade); border-radius: 6px; padding: 10px 12px; }
.facts dt { color: var(--quiet); font-size: .8rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.note { border-left: 3px solid var(--accent); background: var(--shade); padding: 8px 14px; border-radius: 0
6px 6px 0; } .warn { border-left-color: #d55e00; }
.scroll { overflow-x: auto; }
figure { margin: 12px 0 20px; break-inside: avoid; }
figure img { display: block; width: 100%; min-width: 520px; height: auto; }
figure.half img { max-width: 520px; min-width: 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; width: 100%; }
th { text-align: left; color: var(--quiet); font-weight: 600; border-bottom: 1px solid #b9c0c9;
vertical-align: bottom; line-height: 1.25; } th, td { padding: 5px 12px 5px 0; } td { white-space: nowrap; }
td { border-bottom: 1px solid var(--rule); }
th.number, td.number { text-align: right; }
.bound { color: #b34700; font-weight: 600; }
pre { background: var(--shade); border-radius: 6px; padding: 10px 12px; overflow-x: auto; font-size: .8rem;
margin: 8px 0; }
@media (max-width: 560px) { figure:not(.half) figcaption::after { content: " Swipe sideways to see all of
it."; } }
@media print { main { padding: 0; max-width: none; } body { font-size: 11pt; } figure img { min-width: 0; }
h2 { break-after: avoid; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page from its title and the HTML of its parts."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text; `kind`: one of the classes of the style sheet."""
    return f'<p class="{escape(kind)}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """A row of small boxes, each a name and a value."""
    boxes = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{boxes}</dl>'


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: Sequence[int] = (),
    marked: Sequence[tuple[int, int]] = (),
) -> str:
    """A table of text.

    **Arguments:** `numbers`: columns that are set to the right; `marked`: (row, column) of cells that stand
    out.
    """

    def cell(tag: str, text: str, row: int, column: int) -> str:
        kinds = ["number"] * (column in numbers) + ["bound"] * ((row, column) in marked)
        kind = f' class="{" ".join(kinds)}"' if kinds else ""
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    head = "".join(cell("th", text, -1, k) for k, text in enumerate(header))
    body = "\n".join(
        "<tr>" + "".join(cell("td", text, i, k) for k, text in enumerate(row)) + "</tr>" for i, row in enumerate(rows)
    )
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def picture(png: bytes, caption: str, *, half: bool = False) -> str:
    """A figure inside the page. Its caption is also what is read aloud."""
    source = base64.b64encode(png).decode("ascii")
    kind = ' class="half"' if half else ""
    return (
        f'<figure{kind}><div class="scroll">'
        f'<img alt="{escape(caption)}" src="data:image/png;base64,{source}"></div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def preformatted(text: str) -> str:
    """Text as it stands, in a fixed-width face."""
    return f"<pre>{escape(text)}</pre>"
