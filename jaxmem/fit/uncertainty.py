"""Error bars at a minimum: independent noise, block sandwich, intervals, and what the data do not determine."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats
from jaxtyping import Bool, Float, Int

STRUCTURAL = 1e-6  # singular values of the scaled Jacobian below this fraction of the largest are zeros
LOADING = 1e-3  # a parameter takes part in a combination if its weight is above this
BLOCK = 4.0  # length of a block in correlation times
FEWEST = 20  # blocks that a fit is cut into at least, if the data allow


@dataclasses.dataclass(frozen=True)
class Combination:
    """A combination of parameters that the data do not determine.

    Along it every named parameter changes in proportion to its weight (relative changes, d ln; absolute ones
    for a parameter that is zero) and the prediction stays the same.

    **Arguments:** `names`, `weights`: of the parameters that take part, the largest weight 1; `spread`: the
    standard deviation along it as a fraction of the bounds: infinite if the prediction does not
    change at all, above 1 if the bounds tell more than the data.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    spread: float

    def __str__(self) -> str:
        """In words."""
        if math.isfinite(self.spread):
            return f"{', '.join(self.names)} (uncertain by {self.spread:.2g} times the width of the bounds)"
        if len(self.names) == 1:
            return f"{self.names[0]} (has no effect on the data)"
        if len(self.names) == 2 and math.isclose(abs(self.weights[0]), abs(self.weights[1]), rel_tol=0.01):
            opposite = self.weights[0] * self.weights[1] < 0
            kind, sign = ("product", "x") if opposite else ("ratio", "/")
            one, two = self.names
            return f"{one}, {two} (only their {kind} {one} {sign} {two} is determined)"
        terms = " ".join(f"{w:+.2g} {name}" for w, name in zip(self.weights, self.names, strict=True))
        return f"{', '.join(self.names)} (can change together by relative amounts {terms})"


@dataclasses.dataclass(frozen=True)
class Uncertainty:
    """Covariances in physical units.

    A parameter on a bound has NaN (no symmetric error bar), one that takes part in an undetermined
    combination infinity.

    **Arguments:** `covariance`: block sandwich, or `naive` where all data are independent points; `naive`: independent
    noise; `correlation`: of the covariance; `correlation_times`: one per experiment, in samples; `blocks`: number of
    blocks, 0 where none were made; `degrees_of_freedom`: of the covariance's scale; `undetermined`.
    """

    covariance: Float[np.ndarray, "p p"]
    naive: Float[np.ndarray, "p p"]
    correlation: Float[np.ndarray, "p p"]
    correlation_times: tuple[float, ...]
    blocks: int
    degrees_of_freedom: float
    undetermined: tuple[Combination, ...]


@dataclasses.dataclass(frozen=True)
class Linearization:
    """One experiment at the minimum.

    **Arguments:** `jacobian` (residuals, p) in search coordinates; `residuals` (residuals,); `mask` (traces,
    samples); `independent`: whether samples are known to be so.
    """

    jacobian: Float[np.ndarray, "residuals p"]
    residuals: Float[np.ndarray, " residuals"]
    mask: Bool[np.ndarray, "traces samples"]
    independent: bool = False


def uncertainty(
    parts: Sequence[Linearization],
    transform: Float[np.ndarray, "p p"],
    values: Float[np.ndarray, " p"],
    free: Bool[np.ndarray, " p"],
    names: Sequence[str],
    width: Float[np.ndarray, " p"] | None = None,
) -> Uncertainty:
    """Covariances of the parameters at a minimum.

    Naive: s^2 (J^T J)^-1 with s^2 = sum r^2/(n - p). Sandwich: H^-1 (sum_b g_b g_b^T) H^-1 G/(G - p), where
    H = J^T J and g_b = J_b^T r_b is summed over one of G blocks of a few correlation times. Data with fewer
    than p + 2 blocks get the naive one times the correlation time. Where the samples of every experiment are known to
    be independent, the covariance is the naive one, that of ordinary regression; fitted together with recordings, each
    such sample is a block.

    The degrees of freedom are n - p for the naive covariance, G - p for the sandwich (its scale comes from G blocks),
    and n/(correlation time) - p where there are too few.

    **Arguments**

    - `parts`: one per experiment, residuals divided by their sigma.
    - `transform`: derivatives of the physical values by the search coordinates.
    - `values`: physical.
    - `free`: which search coordinates are off their bounds.
    - `names`: of the parameters.
    - `width`: of the bounds in search coordinates; what is less certain than that is named, too.

    **Source** H. White, Econometrica 48, 817 (1980), with the blocks of a moving-block bootstrap.
    """
    taus = tuple(correlation_time(_trace(part), part.mask) for part in parts)
    p, q = len(values), int(free.sum())
    nothing = np.full((p, p), np.nan)
    if q == 0:
        return Uncertainty(nothing, nothing, nothing, taus, 0, 0.0, ())
    triangles = [np.linalg.qr(part.jacobian[:, free], mode="r") for part in parts]
    triangle = np.linalg.qr(np.concatenate(triangles), mode="r")
    norms = np.linalg.norm(triangle, axis=0)
    norms = np.where(norms > 0, norms, 1.0)
    _, s, vt = np.linalg.svd(triangle / norms)
    s = np.concatenate([s, np.zeros(q - s.size)])
    known = s > STRUCTURAL * s[0] if s[0] > 0 else np.zeros(q, bool)
    inverse = (vt[known] / s[known, None]).T @ (vt[known] / s[known, None]) if known.any() else np.zeros((q, q))

    count = sum(int(part.mask.sum()) for part in parts)
    total = sum(float(part.residuals @ part.residuals) for part in parts)
    rank = int(known.sum())
    variance = total / (count - rank) if count > rank else math.inf
    naive = variance * inverse if math.isfinite(variance) else np.full((q, q), math.inf)
    if all(part.independent for part in parts):
        blocks, sandwich, freedom = 0, naive, count - rank
    else:
        lengths = _block_lengths(parts, taus, max(FEWEST, 2 * q + 2))
        scores = np.concatenate(
            [block_sums(part.jacobian[:, free] / norms, part, n) for part, n in zip(parts, lengths, strict=True)]
        )
        blocks = len(scores)
        if blocks >= q + 2:
            half = inverse @ scores.T
            sandwich, freedom = half @ half.T * (blocks / (blocks - q)), blocks - q
        else:
            sandwich, freedom = naive * max(taus), count / max(taus) - rank

    lost = (np.abs(vt[~known]) > LOADING).any(axis=0)
    out = transform[:, free] / norms
    unknown = (np.abs(out[:, lost]) > 0).any(axis=1)
    held = ~(np.abs(out) > 0).any(axis=1)
    covariance, plain = (_physical(matrix, out, unknown, held) for matrix in (sandwich, naive))
    found = [_combination(out @ vt[k], values, names, math.inf) for k in np.flatnonzero(~known)]
    if width is not None and not found and np.isfinite(sandwich).all():
        size = norms * width[free]
        spread, along = np.linalg.eigh(sandwich / np.outer(size, size))
        found = [
            _combination(out @ (size * along[:, k]), values, names, math.sqrt(spread[k]))
            for k in np.flatnonzero(spread > 1.0)
        ]
    freedom = max(float(freedom), 0.0)
    return Uncertainty(covariance, plain, _correlation(covariance), taus, blocks, freedom, tuple(found))


def intervals(
    values: Float[np.ndarray, "... p"],
    errors: Float[np.ndarray, "... p"],
    freedom: Any,
    log: Bool[np.ndarray, " p"],
    level: float,
) -> Float[np.ndarray, "... p 2"]:
    """Lower and upper ends of intervals that hold the true value with a probability of `level`.

    value -+ t error, t being the quantile of Student's distribution; value exp(-+ t error/value) for a parameter that
    is searched as its logarithm. NaN without an error bar, infinite for one that is not determined.

    **Arguments:** `freedom`: degrees of freedom, one number or one for each row.
    """
    freedom = np.asarray(freedom, float)[..., None]
    t = np.where(freedom > 0, scipy.stats.t.ppf(0.5 * (1.0 + level), np.where(freedom > 0, freedom, 1.0)), np.inf)
    reach = t * errors
    with np.errstate(over="ignore", invalid="ignore"):
        factor = np.exp(reach / np.where(log, values, 1.0))
        ends = np.where(log, values / factor, values - reach), np.where(log, values * factor, values + reach)
    return np.stack(ends, -1)


def _physical(matrix: np.ndarray, out: np.ndarray, unknown: np.ndarray, held: np.ndarray) -> np.ndarray:
    result = (
        np.einsum("ij,jk,lk->il", out, matrix, out) if np.isfinite(matrix).all() else np.full((len(out),) * 2, math.inf)
    )
    result[unknown, :], result[:, unknown] = math.nan, math.nan
    result[unknown, unknown] = math.inf
    result[held, :], result[:, held] = math.nan, math.nan
    return result


def _correlation(covariance: Float[np.ndarray, "p p"]) -> Float[np.ndarray, "p p"]:
    deviation = np.sqrt(np.where(np.isfinite(np.diag(covariance)), np.diag(covariance), np.nan))
    outer = np.outer(deviation, deviation)
    return np.divide(covariance, outer, out=np.full_like(covariance, np.nan), where=outer > 0)


def _combination(
    change: Float[np.ndarray, " p"], values: Float[np.ndarray, " p"], names: Sequence[str], spread: float
) -> Combination:
    weights: Any = np.asarray(np.where(values != 0, change / np.where(values != 0, values, 1.0), change))
    weights = weights / weights[np.argmax(np.abs(weights))]
    taking = np.flatnonzero(np.abs(weights) > 10 * LOADING).tolist()
    return Combination(tuple(names[k] for k in taking), tuple(float(weights[k]) for k in taking), float(spread))


def _trace(part: Linearization) -> Float[np.ndarray, "traces samples"]:
    return part.residuals.reshape(part.mask.shape)


def correlation_time(residuals: Float[np.ndarray, "traces samples"], mask: Bool[np.ndarray, "traces samples"]) -> float:
    """Integrated correlation time 1 + 2 sum_k rho_k in samples, over a window of five times itself; at least
    1.

    For rho_k = f^k it is (1 + f)/(1 - f). Left-out samples count neither way.

    **Source** A. Sokal, in Functional Integration (Plenum, 1997), p. 131.
    """
    samples = residuals.shape[1]
    size = 1 << (2 * samples - 1).bit_length()

    def sums(x: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(x, size, axis=1)) ** 2
        return np.fft.irfft(power, size, axis=1)[:, :samples].sum(0)

    pairs, products = np.round(sums(mask.astype(float))), sums(np.where(mask, residuals, 0.0))
    if not (pairs[0] > 0 and products[0] > 0):
        return 1.0
    mean = np.divide(products, pairs, out=np.zeros_like(products), where=pairs > 0)
    tau = 1.0 + 2.0 * np.cumsum(np.append(0.0, mean[1:] / mean[0]))
    lags = np.arange(samples)
    inside = np.flatnonzero(lags >= 5.0 * tau)
    return float(max(1.0, tau[int(inside[0])] if inside.size else tau[-1]))


def _block_lengths(parts: Sequence[Linearization], taus: Sequence[float], fewest: int) -> list[int]:
    """Samples per block: a few correlation times, less if that would leave too few blocks."""
    lengths = [math.ceil(BLOCK * tau) if tau > 1.0 else 1 for tau in taus]
    traces = sum(part.mask.shape[0] for part in parts)
    most = max(1, math.ceil(fewest / traces))  # blocks that each trace is cut into at least
    return [max(1, min(length, part.mask.shape[1] // most)) for part, length in zip(parts, lengths, strict=True)]


def block_sums(
    jacobian: Float[np.ndarray, "residuals q"], part: Linearization, length: int
) -> Float[np.ndarray, "blocks q"]:
    """The sums of J^T r over blocks of consecutive samples of each trace; blocks without a used sample are
    left out."""
    traces, samples = part.mask.shape
    index: Int[np.ndarray, " residuals"] = (
        np.arange(traces)[:, None] * math.ceil(samples / length) + np.arange(samples) // length
    ).reshape(-1)
    blocks = traces * math.ceil(samples / length)
    used = np.bincount(index, part.mask.reshape(-1), blocks) > 0
    weighted = jacobian * part.residuals[:, None]
    columns = [np.bincount(index, weighted[:, k], blocks) for k in range(weighted.shape[1])]
    return np.stack(columns, 1)[used]
