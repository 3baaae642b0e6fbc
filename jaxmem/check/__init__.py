"""The library's public audit: reference cases recomputed through the public API and compared.

`run` reads files of cases and gives one `Row` for each quantity. Every format has one module here, which
recognizes its files by their keys, whatever the file and the cases are called; a file of another kind, and a
quantity that no format knows, are listed as not covered.
"""

from .row import Row, Verdict
from .run import run

__all__ = ["Row", "Verdict", "run"]
