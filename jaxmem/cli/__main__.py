"""`python -m jaxmem.cli` is the `jaxmem` command."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
