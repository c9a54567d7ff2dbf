"""The variance of sums over 1, 5, 15, 60, 360 and 1440 minutes around their expectation."""

from __future__ import annotations

from array import array
from math import sqrt

WINDOWS = (1, 5, 15, 60, 360, 1440)
"""Window lengths in minutes."""

_MEMORY = (20000.0, 4000.0, 1344.0, 336.0, 56.0, 28.0)
"""Windows remembered at each length: about two weeks (four for a day)."""

_PRIOR_WINDOWS = 8.0
_PRIOR_RELATIVE_VARIANCE = 0.15
_SMALLEST_DISPERSION = 0.1


class Spread:
    """The variance of window sums, measured for each window length.

    Minutes are not assumed independent: correlated counts have a larger variance in long windows, a heartbeat a
    smaller one. The variance is `dispersion*mean + excess*mean**2`: quasi-Poisson when it is below the mean
    (Wedderburn 1974), negative binomial when above; estimated by moments with exponential forgetting (e.g. Cameron &
    Trivedi, "Regression Analysis of Count Data", 2.4). The prior of each length is the estimate of the next shorter
    one, because averaging can only reduce the relative variance of a stationary series.
    """

    __slots__ = ("dispersion", "excess", "sums")

    def __init__(self) -> None:
        n = len(WINDOWS)
        # Per length: windows seen, mean of error squared, of mean, of mean squared.
        self.sums = array("f", [0.0] * (4 * n))
        self.excess = array("f", [_PRIOR_RELATIVE_VARIANCE] * n)
        self.dispersion = array("f", [1.0] * n)

    def add(self, index: int, squared_error: float, mean: float, squared_mean: float, windows: float = 1.0) -> None:
        """Add the averages over `windows` windows of length `WINDOWS[index]`."""
        sums = self.sums
        at = 4 * index
        seen = min(sums[at] + windows, _MEMORY[index])
        gain = windows / seen
        sums[at] = seen
        sums[at + 1] += gain * (squared_error - sums[at + 1])
        sums[at + 2] += gain * (mean - sums[at + 2])
        sums[at + 3] += gain * (squared_mean - sums[at + 3])

    def forget(self, keep: float, *, longer: float) -> None:
        """Scale the weight of past observations: by `keep` for 1-minute windows, by `longer` for the others."""
        for index in range(len(WINDOWS)):
            self.sums[4 * index] *= longer if index else keep

    def refresh(self) -> None:
        """Recompute `excess` and `dispersion` from the sums."""
        sums = self.sums
        prior = _PRIOR_RELATIVE_VARIANCE
        for index in range(len(WINDOWS)):
            at = 4 * index
            seen, error, mean, square = sums[at], sums[at + 1], sums[at + 2], sums[at + 3]
            excess = 0.0
            dispersion = 1.0
            lean = 1.0
            if mean > 0.0 and seen > 0.0:
                # The variance-to-mean ratio of n Poisson counts has the variance (2 + 1/mean)/n (from the fourth
                # moment): a ratio within one standard error of 1 counts as 1.
                error /= mean
                doubt = sqrt((2.0 + 1.0 / mean) / seen)
                if error < 1.0:
                    dispersion = min(1.0, error + doubt)
                elif error > 1.0 + doubt:
                    excess = (error - 1.0 - doubt) * mean / square
                # A variance estimated from n values has a relative standard error of about sqrt(2/n): overestimate it.
                lean = 1.0 + 1.5 * sqrt(2.0 / (seen + 4.0))
            total = seen + _PRIOR_WINDOWS
            self.excess[index] = (seen * excess * lean + _PRIOR_WINDOWS * prior) / total
            self.dispersion[index] = max((seen * dispersion + _PRIOR_WINDOWS) / total, _SMALLEST_DISPERSION)
            prior = (seen * excess + _PRIOR_WINDOWS * prior) / total

    def ratio(self, index: int, mean: float) -> float:
        """Variance divided by mean of a window of length `WINDOWS[index]` with `mean` expected events."""
        return self.dispersion[index] + self.excess[index] * mean
