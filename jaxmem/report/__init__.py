"""What a fit leaves behind: a page to read, figures, tables and files for programs."""

from .summary import parameters, summary, versions
from .write import FILES, Extra, write

__all__ = ["FILES", "Extra", "parameters", "summary", "versions", "write"]
