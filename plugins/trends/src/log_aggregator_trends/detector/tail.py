"""Tail probabilities of count distributions, as -log10 (surprise)."""

from __future__ import annotations

from math import exp, expm1, log, sqrt

LOG10_E = 0.4342944819032518
_HALF_LOG_2PI = 0.9189385332046727


def normal_tail(z: float) -> float:
    """-log10 of the upper tail of the standard normal at `z`.

    Asymptotic series for z >= 1.5 (Abramowitz & Stegun 26.2.12, first terms as a continued fraction); 0 below,
    where callers do not need a value.
    """
    if z < 1.5:
        return 0.0
    z2 = z * z
    # Continued fraction of Mills' ratio (A&S 26.2.14), three levels.
    ratio = z + 1.0 / (z + 2.0 / (z + 3.0 / z))
    return LOG10_E * (0.5 * z2 + _HALF_LOG_2PI + log(ratio))


def upper_tail(count: float, mean: float, relative_variance: float, dispersion: float = 1.0) -> float:
    """-log10 P(X >= count) for a count of mean `mean` and variance `dispersion*mean + relative_variance*mean**2`.

    The distribution is a negative binomial of size 1/relative_variance, its unit scaled by `dispersion`
    (<= 1: more regular than Poisson). Saddlepoint approximation with the lattice correction of
    Daniels (1987), "Tail probability approximations", in the r* form of Barndorff-Nielsen (1986).
    """
    if count <= mean or mean <= 0.0:
        return 0.0
    x = count / dispersion
    m = mean / dispersion
    k = 1.0 / (relative_variance + 1e-6)
    s = log(x * (m + k) / (m * (x + k)))
    deviance = x * log(x / m) - (x + k) * log((x + k) / (m + k))
    if deviance <= 1e-9 or s <= 0.0:
        return 0.0
    w = sqrt(2.0 * deviance)
    u = -expm1(-s) * sqrt(x * (1.0 + x / k))
    return normal_tail(w + log(u / w) / w) if w > 0.5 else 0.0


def lower_tail(count: float, mean: float, relative_variance: float, dispersion: float = 1.0) -> float:
    """-log10 P(X <= count), with the distribution and approximation of `upper_tail`; exact at zero."""
    if count >= mean:
        return 0.0
    x = count / dispersion
    m = mean / dispersion
    k = 1.0 / (relative_variance + 1e-6)
    if x <= 0.0:
        return LOG10_E * k * log(1.0 + m / k)
    s = log(x * (m + k) / (m * (x + k)))
    deviance = x * log(x / m) - (x + k) * log((x + k) / (m + k))
    if deviance <= 1e-9 or s >= 0.0:
        return 0.0
    w = sqrt(2.0 * deviance)
    u = -expm1(s) * sqrt(x * (1.0 + x / k))
    return normal_tail(w + log(u / w) / w) if w > 0.5 else 0.0


def decay(minutes: float, time_constant: float) -> float:
    """Weight remaining after `minutes` of exponential forgetting with `time_constant` (same unit)."""
    return exp(-minutes / time_constant)
