"""A change of accuracy as text: interval, images lost and gained, and significance."""

from edge_bench.app.render.units import points_with_interval, significant
from edge_bench.bench.stats.accuracy import decidable
from edge_bench.bench.stats.intervals import PairedDifference

__all__ = ["accuracy_change_text"]


def accuracy_change_text(difference: PairedDifference) -> str:
    """Return ``−0.30 [−0.52, −0.08]; 12 lost, 3 gained, p = 0.035``, in percentage points.

    The first side of the difference is the new one: an image is gained if only the first classified it correctly. With
    fewer than six discordant images McNemar's p cannot be below 0.05, and "too few to decide" replaces it.
    """
    points = points_with_interval(difference.value, difference.interval).replace("-", "−")
    images = f"{difference.only_second:,} lost, {difference.only_first:,} gained"
    if not decidable(difference):
        return f"{points}; {images}: too few to decide"
    p = difference.p_value
    return f"{points}; {images}, {'p < 0.001' if p < 0.001 else f'p = {significant(p, 2)}'}"
