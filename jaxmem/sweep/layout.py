"""Which lanes a chunk holds, and where they lie among the results.

Lanes are numbered through in C order of the design's shape. A chunk is a block of that shape whose lanes are
consecutive: whole trailing axes, a part of the next one, a single index of those before. So a chunk of a grid is one
chunk of a many-dimensional array on disk, too, and has one writer.
"""

import dataclasses
import math

from ..results import InputError


@dataclasses.dataclass(frozen=True)
class Layout:
    """How the lanes of a design are cut into chunks; see `layout`."""

    shape: tuple[int, ...]
    block: tuple[int, ...]  # of a chunk, along every axis

    @property
    def lanes(self) -> int:
        """Lanes in all."""
        return math.prod(self.shape)

    @property
    def capacity(self) -> int:
        """Lanes of a full chunk."""
        return math.prod(self.block)

    @property
    def counts(self) -> tuple[int, ...]:
        """Chunks along every axis."""
        return tuple(-(-n // b) for n, b in zip(self.shape, self.block, strict=True))

    @property
    def chunks(self) -> int:
        """Chunks in all."""
        return math.prod(self.counts)

    def region(self, chunk: int) -> tuple[slice, ...]:
        """Where the lanes of a chunk lie."""
        slices = []
        for n, b, count in reversed(list(zip(self.shape, self.block, self.counts, strict=True))):
            chunk, k = divmod(chunk, count)
            slices.append(slice(k * b, min((k + 1) * b, n)))
        return tuple(reversed(slices))

    def span(self, chunk: int) -> tuple[int, int]:
        """The numbers of a chunk's first lane and of the lane after its last."""
        region = self.region(chunk)
        first = 0
        for n, part in zip(self.shape, region, strict=True):
            first = first * n + part.start
        return first, first + math.prod(part.stop - part.start for part in region)


def layout(shape: tuple[int, ...], chunk: int) -> Layout:
    """The lanes of a design in chunks of up to `chunk` lanes, as equal as they can be.

    **Raises** `InputError` if a chunk has no lane.
    """
    if chunk < 1:
        raise InputError(f"A chunk must have at least one lane, but `chunk` is {chunk}.")
    block, room = [], chunk
    for n in reversed(shape):
        b = min(n, max(1, room))
        b = -(-n // -(-n // b))  # as many chunks, but of equal size
        block.append(b)
        room = room // b if b == n else 1
    return Layout(shape, tuple(reversed(block)))
