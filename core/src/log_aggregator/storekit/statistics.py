"""Tests that know how often they are wrong: counts of two spans, shares of two spans, and many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist, median

_EXACT = 5000
"""Logs up to which a binomial probability is summed; beyond, it is approximated by a normal deviate."""

_MEDIAN_OF_SQUARES = 0.4549
_ENOUGH = 20
_TINY = 1e-300


def counts_p(before: int, after: int, share: float) -> float:
    """How probable it is that `after` differs so much: two-sided, with `share` of all logs expected after.

    Conditional on the sum, the count of one of two Poisson variables is binomial.
    """
    total = before + after
    if not total:
        return 1.0
    if total > _EXACT:
        return 2 * _upper(abs(_root(after, total, share)))
    tail = _binomial_tail(after, total, share) if after >= total * share else _binomial_tail(before, total, 1 - share)
    return min(1.0, 2 * tail)


def share_p(part_before: int, whole_before: int, part_after: int, whole_after: int) -> float:
    """How probable it is that a share changed so much by chance: two-sided, by the likelihood ratio."""
    if not whole_before or not whole_after:
        return 1.0
    share = (part_before + part_after) / (whole_before + whole_after)
    ratio = 0.0
    for part, whole in ((part_before, whole_before), (part_after, whole_after)):
        ratio += _term(part, whole * share) + _term(whole - part, whole * (1 - share))
    return 2 * _upper(sqrt(max(0.0, 2 * ratio)))


def spread(ratios: Sequence[tuple[float, float]]) -> float:
    """How much logarithms of ratios vary beyond chance, as a variance; of (logarithm, variance by chance).

    By the median, so that it is robust to some that did change. Zero where there are few.
    """
    if len(ratios) < _ENOUGH:
        return 0.0

    def typical(beyond: float) -> float:
        return median(logarithm**2 / (chance + beyond) for logarithm, chance in ratios)

    low, high = 0.0, 10.0
    if typical(low) <= _MEDIAN_OF_SQUARES:
        return 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if typical(middle) > _MEDIAN_OF_SQUARES else (low, middle)
    return low


def dispersed(p: float, factor: float) -> float:
    """A probability, when deviates are wider than chance by `factor` in their square."""
    if factor <= 1.0 or p >= 1.0:
        return p
    return 2 * _upper(_normal(max(p, _TINY)) / sqrt(factor))


def discoveries(probabilities: Sequence[float], rate: float, tests: int | None = None) -> list[int]:
    """The positions that stand out when at most `rate` of those found may be chance (Benjamini and Hochberg).

    `tests` is how many there were, if not all are given.
    """
    whole = len(probabilities) if tests is None else tests
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__)
    last = 0
    for place, position in enumerate(order, 1):
        if probabilities[position] <= rate * place / whole:
            last = place
    return order[:last]


def _binomial_tail(k: int, n: int, p: float) -> float:
    """The probability of k or more of n."""
    if k <= 0 or p >= 1.0:
        return 1.0
    if p <= 0.0:
        return 0.0
    term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))
    total, odds = 0.0, p / (1 - p)
    for i in range(k, n + 1):
        total += term
        if term < total * 1e-15:
            break
        term *= (n - i) / (i + 1) * odds
    return min(1.0, total)


def _root(k: int, n: int, p: float) -> float:
    """The signed root of twice the log likelihood ratio."""
    if not n:
        return 0.0
    ratio = _term(k, n * p) + _term(n - k, n * (1 - p))
    return sqrt(max(0.0, 2 * ratio)) * (1 if k >= n * p else -1)


def _term(seen: float, expected: float) -> float:
    if not seen:
        return 0.0
    return seen * log(seen / expected) if expected > 0 else inf


def _upper(deviate: float) -> float:
    return 0.5 * erfc(deviate / sqrt(2)) if deviate != inf else 0.0


def _normal(p: float) -> float:
    """The deviate whose two-sided probability is `p`."""
    if p >= 1e-15:
        return -NormalDist().inv_cdf(p / 2)
    low, high = 7.0, 40.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if 2 * _upper(middle) > p else (low, middle)
    return low
