"""What the words of a protocol say of parameters that change in time."""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence

NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"


@dataclasses.dataclass(frozen=True)
class Window:
    """A parameter that has a value for begin <= t < end [s], and maybe another one afterwards."""

    key: str
    value: float
    begin: float
    end: float
    after: float | None


class Protocol:
    """What the words of a protocol say of parameters: `Imax=6.8 for t<50 s, 0 afterwards; s=0`."""

    def __init__(self, text: str, known: Sequence[str]):
        """Reads windows of time, changes `Obath 32 -> 0 at t=0`, and what holds throughout, of `known` parameters."""
        key = rf"\b({'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))})"
        window = rf"{key}\s*=\s*{NUMBER}\s*for\s*(?:{NUMBER}\s*s?\s*<=?\s*)?t\s*<=?\s*{NUMBER}\s*s?"
        window += rf"(?:\s*,\s*(?:\1\s*=\s*)?{NUMBER}\s*afterwards)?"
        onward = rf"{key}\s*=\s*{NUMBER}\s*for\s*t\s*>=?\s*{NUMBER}"
        change = rf"{key}\s*=?\s*{NUMBER}\s*->\s*{NUMBER}\s*at\s*t\s*=\s*{NUMBER}"
        self.windows = [
            Window(k, float(value), float(begin or 0.0), float(end), float(after) if after else None)
            for k, value, begin, end, after in re.findall(window, text)
        ]
        self.windows += [
            Window(k, float(value), 0.0, float(at), float(after)) for k, value, after, at in re.findall(change, text)
        ]
        self.windows += [
            Window(k, float(value), float(at), math.inf, None) for k, value, at in re.findall(onward, text)
        ]
        rest = re.sub(change, "", re.sub(onward, "", re.sub(window, "", text)))
        self.always = {k: float(value) for k, value in re.findall(rf"{key}\s*=\s*{NUMBER}", rest)}

    def pieces(self, given: Mapping[str, float], end: float) -> list[tuple[dict[str, float], float]]:
        """The parameters between two changes, and when each piece ends [s]."""
        given = {**given, **self.always}
        edges = {t for w in self.windows for t in (w.begin, w.end) if 0.0 < t < end}
        found, begin = [], 0.0
        for edge in [*sorted(edges), end]:
            now = dict(given)
            for w in self.windows:
                if w.begin <= begin < w.end:
                    now[w.key] = w.value
                elif begin >= w.end and w.after is not None:
                    now[w.key] = w.after
            found.append((now, edge))
            begin = edge
        return found
