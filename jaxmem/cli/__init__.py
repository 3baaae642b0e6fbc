"""The `jaxmem` command. Nothing heavy is imported before a subcommand needs it, so that `--help` answers at
once."""

import os
import sys
from collections.abc import Sequence

from .parser import build

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    0: done; 1: a check fell short or no start converged; 2: wrong usage or bad input, said in one line;
    130: interrupted.

    **Arguments:** `argv`: the words after `jaxmem` (default: those of this process).
    """
    parser = build()
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return stop.code if isinstance(stop.code, int) else USAGE
    options.words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("\njaxmem: interrupted" + getattr(options, "after_interrupt", ""), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has closed; nothing more can be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except RuntimeError as error:  # the run failed: no start converged, a result is not finite, no memory
        if os.environ.get("JAXMEM_DEBUG"):
            raise
        print(f"jaxmem: {one_line(error)}", file=sys.stderr)
        return FAILED
    except (ValueError, KeyError, OSError) as error:  # bad input: InputError and what constructors raise
        if os.environ.get("JAXMEM_DEBUG"):
            raise
        print(f"jaxmem: {one_line(error)}", file=sys.stderr)
        return USAGE


def one_line(error: BaseException) -> str:
    """What an error says, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = error.args[0] if isinstance(error, KeyError) and error.args else error
    return " ".join(str(text).split()) or type(error).__name__
