"""How the documentation is built: `sphinx-build -W docs docs/_build`."""

from importlib.metadata import version as version_of

project = "jaxmem"
author = "The jaxmem developers"
version = release = version_of("jaxmem")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.viewcode", "sphinx_design"]
exclude_patterns = ["_build"]

# Pages are MyST Markdown. The code cells of the tutorials run at every build; a failing cell fails the build.
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = []
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

# Docstrings write names in single backticks.
default_role = "code"
autodoc_default_options = {"members": True, "show-inheritance": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# Docstrings are written to be read in the source, so the finer rules of docutils are not asked of them. The
# layers of docs/architecture.md are text for a test to read, not a language.
suppress_warnings = ["docutils", "misc.highlighting_failure"]

html_theme = "furo"
html_title = f"jaxmem {release}"
