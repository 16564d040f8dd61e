"""Changes of accuracy on the same images: when they can be decided, and how many images a limit needs."""

import math

from edge_bench.bench.stats.intervals import CONFIDENCE, PairedDifference
from edge_bench.bench.stats.student import t_quantile

__all__ = ["MIN_DISCORDANT", "decidable", "images_needed", "pass_probability"]

#: McNemar's exact test needs this number of discordant images for p < 0.05: with five, p is at least 2/2⁵ = 0.0625.
MIN_DISCORDANT = 6
#: The sum covers this many standard deviations of the number of discordant images. Beyond are fewer than one in 10⁹.
_REACH = 6.2
#: Binomial probabilities are exact up to this number of discordant images. Beyond, the normal approximation is within
#: 0.001.
_EXACT = 60
#: Largest number of images that is searched.
_MOST = 1 << 62


def decidable(difference: PairedDifference) -> bool:
    """Return whether enough images are discordant (only one side is right) for McNemar's test to decide anything."""
    return difference.only_first + difference.only_second >= MIN_DISCORDANT


def images_needed(limit_points: float, discordant_share: float, confidence: float = 0.8) -> int:
    """Return how many images a gate on accuracy needs so that a model of unchanged accuracy passes it.

    The gate passes if the 95 % interval of `paired_difference` is entirely above ``-limit_points`` percentage points.
    ``discordant_share`` is the fraction of images (0 to 1) that only one of the two models classifies correctly. For
    models of equal accuracy, which of the two is random. ``confidence`` is the fraction of such models that pass. Raise
    ValueError for a limit that is not positive, because no number of images is enough for it, and for other fractions.
    """
    if not (limit_points > 0 and 0 <= discordant_share <= 1 and 0 < confidence < 1):
        raise ValueError("the limit must be positive, the discordant share from 0 to 1, the confidence between 0 and 1")
    limit = limit_points / 100

    def enough(images: int) -> bool:
        return pass_probability(images, limit, discordant_share) >= confidence

    high = 1
    while not enough(high):
        high *= 2
        if high > _MOST:
            raise ValueError(f"a limit of {limit_points} points needs more images than can be counted")
    low = high // 2  # not enough, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def pass_probability(images: int, limit: float, discordant_share: float) -> float:
    """Return the probability that a model of unchanged accuracy passes a gate; ``limit`` 0.01 is 1 point.

    The number of discordant images is binomial. For each number, the probability that enough of them are gained.
    """
    mean = images * discordant_share
    spread = _REACH * math.sqrt(mean * (1 - discordant_share)) + 1
    first, last = max(0, math.floor(mean - spread)), min(images, math.ceil(mean + spread))
    step = max(1, (last - first) // 400)  # a few hundred points of a smooth function are enough
    counts = range(first, last + 1, step)
    weights = [math.exp(_log_binomial(count, images, discordant_share)) for count in counts]
    passed = [weight * _pass_given(count, images, limit) for count, weight in zip(counts, weights, strict=True)]
    return math.fsum(passed) / math.fsum(weights)


def _log_binomial(count: int, total: int, share: float) -> float:
    """Return the logarithm of P(X = count) for X from Binomial(total, share)."""
    if share in (0, 1):
        return 0.0 if count == total * share else -math.inf
    ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    return ways + count * math.log(share) + (total - count) * math.log1p(-share)


def _pass_given(discordant: int, images: int, limit: float) -> float:
    """Return the probability that the interval is above ``-limit`` with this number of discordant images."""
    z = t_quantile(math.inf, (1 + CONFIDENCE) / 2)
    total = images + 2
    # the lower end of paired_difference, (d - z·√(D + 1 - d²/N)) / N for d gained less lost of D, is above the limit
    # from the larger root of d²(1 + z²/N) + 2·L·N·d + (L·N)² - z²(D + 1) = 0 upwards
    a, half_b, c = 1 + z * z / total, limit * total, (limit * total) ** 2 - z * z * (discordant + 1)
    inside = half_b * half_b - a * c
    least = -half_b / a if inside < 0 else (-half_b + math.sqrt(inside)) / a
    gained = math.ceil((discordant + least) / 2 - 1e-9)
    return _at_least_half_chance(gained, discordant)


def _at_least_half_chance(gained: int, discordant: int) -> float:
    """Return P(X ≥ gained) for X from Binomial(discordant, ½)."""
    if gained <= 0:
        return 1.0
    if gained > discordant:
        return 0.0
    if discordant <= _EXACT:
        return sum(math.comb(discordant, count) for count in range(gained, discordant + 1)) / 2.0**discordant
    return math.erfc((gained - 0.5 - discordant / 2) / math.sqrt(discordant / 2)) / 2
