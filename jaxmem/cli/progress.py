"""A small progress bar on stderr; plain lines where stderr is not a terminal."""

import math
import shutil
import sys
import time
from typing import TextIO

WIDTH = 24  # of the bar, in characters
EVERY = 5.0  # seconds between plain lines


class Progress:
    """Shows how far a long job is, its best loss so far and the time that remains.

    Call it with what is done, what there is to do and the best loss; `close` ends the line. Nothing is
    shown if `quiet`.
    """

    def __init__(self, label: str, *, quiet: bool = False, stream: TextIO | None = None, clock=time.monotonic):
        self.label, self.quiet, self.clock = label, quiet, clock
        self.stream = sys.stderr if stream is None else stream
        self.terminal = bool(getattr(self.stream, "isatty", lambda: False)())
        self.start = self.last = clock()
        self.first_done: int | None = None
        self.open = self.finished = False

    def __call__(self, done: int, total: int, loss: float = math.nan) -> None:
        """Shows that `done` of `total` are ready, the best with `loss`."""
        if self.quiet or self.finished:
            return
        now = self.clock()
        if self.first_done is None:  # a continued job starts in the middle
            self.first_done, self.start = done, now
        self.finished = finished = done >= total
        if not finished and self.open and now - self.last < (0.1 if self.terminal else EVERY):
            return
        self.last = now
        text = f"{self.label}: {done} of {total}"
        if self.terminal:
            filled = round(WIDTH * done / total) if total else WIDTH
            text = f"{self.label} [{'=' * filled}{' ' * (WIDTH - filled)}] {done}/{total}"
        if math.isfinite(loss):
            text += f"  best {loss:.6g}"
        moved = done - self.first_done
        elapsed = now - self.start
        if finished:
            text += f"  {duration(elapsed)}"
        elif moved > 0:
            text += f"  {duration(elapsed / moved * (total - done))} left"
        self._write(text, finished)

    def _write(self, text: str, finished: bool) -> None:
        if self.terminal:
            columns = shutil.get_terminal_size().columns
            self.stream.write("\r\x1b[K" + text[: columns - 1] + ("\n" if finished else ""))
        else:
            self.stream.write(text + "\n")
        self.stream.flush()
        self.open = not finished

    def close(self) -> None:
        """Ends a line that is still being written."""
        if self.open and self.terminal:
            self.stream.write("\n")
            self.stream.flush()
        self.open = False


def duration(seconds: float) -> str:
    """A duration in words of a glance: 8 s, 2 min 05 s, 1 h 12 min."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
