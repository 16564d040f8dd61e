"""The points of a series: one Run's measurement of a configuration, judged by those before it."""

import math

from edge_bench.bench.analysis.over_time.measured import Measurement, Times
from edge_bench.bench.stats.chart_records import Judgement, Mark
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.ratios import Ratio, Verdict, ratio_from, verdict
from edge_bench.bench.tasks.measures import Measure

__all__ = ["Point"]


class Point:
    """One Run's measurement of a configuration. Most values are computed when they are read: there may be 100,000."""

    __slots__ = ("_found", "_judgement", "_measurement", "_previous", "_times", "mark")

    def __init__(
        self,
        measurement: Measurement,
        previous: Measurement | None,
        times: Times,
        judgement: Judgement | None,
        mark: Mark | None,
        found: Verdict | None,
    ) -> None:
        """``judgement`` is None for emulated times, ``found`` the verdict of the change that begins here."""
        self._measurement, self._previous, self._times = measurement, previous, times
        self._judgement, self._found = judgement, found
        self.mark = mark  # None for emulated times

    @property
    def run_id(self) -> str:
        """The identifier of the Run."""
        return self._measurement.run.run_id

    @property
    def began(self) -> str:
        """When the Run began; UTC, ISO 8601."""
        return self._measurement.run.began

    @property
    def night(self) -> int | None:
        """Number of the night in which it was measured; None if it is not of a night."""
        return self._measurement.run.night

    def with_change(self, found: Verdict | None) -> "Point":
        """Return the point with the verdict of another change that begins here, or none."""
        parts = (self._measurement, self._previous, self._times, self._judgement, self.mark)
        return Point(*parts, found)

    @property
    def images(self) -> int:
        """Images per pass."""
        return self._measurement.run.description.images_per_pass

    @property
    def correct(self) -> int | None:
        """Correctly classified images; None if there are no true labels."""
        return self._measurement.result.correct

    @property
    def seen(self) -> int:
        """Images that ``correct`` refers to."""
        return self._measurement.result.seen

    @property
    def quality(self) -> Measure | None:
        """First measure of the task, without interval; None if true values are unknown."""
        return self._measurement.result.quality

    @property
    def accuracy_assumed(self) -> bool:
        """Whether accuracy or quality depends on an assumption about images or labels."""
        return self._measurement.run.description.accuracy_assumed

    @property
    def trials(self) -> int:
        """Number of trials."""
        return self._measurement.result.trials

    @property
    def processes(self) -> int:
        """Number of processes that made the trials."""
        return self._measurement.result.processes

    @property
    def failure(self) -> str:
        """The kind of the failure, if the configuration failed after these trials; otherwise empty."""
        return self._measurement.result.failure

    @property
    def trusted(self) -> bool | None:
        """Whether the times of its Run are reliable; None: not known (an older Run)."""
        return self._measurement.run.trusted

    @property
    def unstable(self) -> bool:
        """Whether its times have a standard deviation of 10 % or more of their mean."""
        return self._measurement.result.unstable

    @property
    def median(self) -> float:
        """Median of the seconds per image of all trials, by the series' estimator."""
        return self._times.median

    @property
    def interval(self) -> Interval | None:
        """Interval of the median, for this Run alone."""
        return self._times.interval

    @property
    def reference(self) -> float | None:
        """Seconds per image: geometric mean of the Runs that this one is compared with."""
        judgement = self._judgement
        return None if judgement is None or judgement.reference is None else math.exp(judgement.reference)

    @property
    def ratio(self) -> Ratio | None:
        """``median`` to ``reference``; its interval is the 95 % prediction interval of one more Run."""
        judgement = self._judgement
        if judgement is None or judgement.reference is None:
            return None
        error, freedom = (judgement.error, judgement.freedom) if judgement.freedom else (None, None)
        return ratio_from(self._times.level - judgement.reference, error, freedom)

    @property
    def verdict(self) -> Verdict | None:
        """Faster or slower only for the first Run after a step, and the Run where creep was found."""
        if self._found or not self.has_limits:
            return self._found
        ratio = self.ratio
        alone = None if ratio is None else verdict(ratio)
        # a single Run beyond its interval is not yet a change
        return Verdict.UNDECIDED if alone in (Verdict.FASTER, Verdict.SLOWER) else alone

    @property
    def verdict_reliable(self) -> bool | None:
        """Whether the verdict rests on reliable times of this Run; None without a verdict, or if that is not known.

        Those of the Runs before it are not asked for: if they vary, so do the limits.
        """
        if not self._found and not self.has_limits:
            return None
        return False if self.unstable else self.trusted

    @property
    def has_limits(self) -> bool:
        """Whether there are enough Runs before it for limits."""
        judgement = self._judgement
        return judgement is not None and judgement.reference is not None and bool(judgement.freedom)

    @property
    def expected(self) -> Interval | None:
        """Interval of seconds per image that contains 95 % of unchanged Runs; None with too few Runs."""
        ratio = self.ratio
        if ratio is None or ratio.interval is None:
            return None
        return Interval(self.median / ratio.interval.high, self.median / ratio.interval.low)

    @property
    def changed(self) -> list[str]:
        """Other differences from the previous point, as text."""
        return self._previous.differences_to(self._measurement) if self._previous else []
