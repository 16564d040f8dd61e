"""Steps and creep in a series of values, one per run, judged as each new value arrives.

Sources: Shewhart 1931, "Economic Control of Quality of Manufactured Product", for limits from the preceding values;
Western Electric 1956, "Statistical Quality Control Handbook", for several values beyond narrower limits; Page 1954,
"Continuous Inspection Schemes", for the beginning of a step; Daly et al. 2020, "The use of change point detection to
identify software performance regressions in a continuous integration system", for starting again after a change.
"""

import math
from collections.abc import Sequence

import numpy as np

from edge_bench.bench.stats.chart_records import (
    EMPTY,
    RULES,
    ChartState,
    Creep,
    Judgement,
    Mark,
    Reference,
    Rules,
    Step,
)
from edge_bench.bench.stats.intervals import welch_error
from edge_bench.bench.stats.student import t_quantile, t_tail

__all__ = ["ControlChart"]


class ControlChart:
    """Values, such as logarithms of times, each compared with those before it.

    The reference is the last values since the last step. It ends before the earliest value beyond the inner limits that
    may still become part of a step. Outliers are excluded. After a step the mean starts again. Until there are enough
    values after it, the spread is estimated with those before it, too, so that a step back is found without delay.
    """

    def __init__(self, values: Sequence[float], rules: Rules = RULES, state: ChartState = EMPTY) -> None:
        """``state`` is that of a chart with the same rules of the first of these values."""
        self.judgements = list(state.judgements)
        self.steps = list(state.steps)
        self.creeps = list(state.creeps)
        self._rules = rules
        self._values = list(values[: len(state.judgements)])
        self._start = state.start  # index of the first value since the last step
        self._used = list(state.used)  # indices since the last step, without outliers
        self._before = state.before  # of the last step
        self._early_outliers = set(state.early_outliers)  # found before there were enough values to judge any
        for value in values[len(state.judgements) :]:
            self._add(value)
        self.marks = self._all_marks()  # the state of each value, from all values

    @property
    def state(self) -> ChartState:
        """The state after all values."""
        outliers = sorted(self._early_outliers)
        return ChartState(self.judgements, self.steps, self.creeps, self._start, self._used, self._before, outliers)

    def _add(self, value: float) -> None:
        reference = self._reference()
        judgement = self._judged(value, reference)
        self._values.append(value)
        self.judgements.append(judgement)
        if not judgement.far:
            self._used.append(len(self._values) - 1)
        first = self._step_began(judgement.side, reference)
        if first is not None:
            self._restart(first, judgement.side, reference)
        self._leave_out_early_outlier()
        self._judge_creep()

    def _all_marks(self) -> list[Mark]:
        marks = [self._mark(index) for index in range(len(self._values))]
        for step in self.steps:
            for index in range(step.first, step.confirmed + 1):
                if self.judgements[index].side == step.side:
                    marks[index] = Mark.CONFIRMING
            marks[step.first] = Mark.STEP
        return marks

    def _mark(self, index: int) -> Mark:
        judgement = self.judgements[index]
        if not judgement.freedom:
            return Mark.OUTLIER if index in self._early_outliers else Mark.TOO_FEW
        if not judgement.far:
            return Mark.WITHIN
        return Mark.UNCONFIRMED if index >= self._start and self._is_open(index) else Mark.OUTLIER

    def _reference(self) -> Reference:
        now = len(self._values)
        earliest = max(self._start, now - self._rules.window + 1)
        end = next((index for index in range(earliest, now) if self._is_open(index)), now)
        used = self._used[-self._rules.trailing - self._rules.window :]
        if end < now:
            used = [index for index in used if index < end]
        values = [self._values[index] for index in used[-self._rules.trailing :]]
        if not values:
            return Reference([], 0.0, 0)
        mean = _mean(values)
        squares, freedom = sum([(value - mean) ** 2 for value in values]), len(values) - 1
        if len(values) < self._rules.minimum:
            squares, freedom = squares + self._before.squares, freedom + self._before.freedom
        return Reference(values, squares, freedom)

    def _is_open(self, index: int) -> bool:
        """Return whether a value is beyond its limits and the next values may show that it is part of a step."""
        side, now = self.judgements[index].side, len(self._values)
        if not side:
            return False
        alike = [judgement.side for judgement in self.judgements[index : index + self._rules.window]].count(side)
        return alike + index + self._rules.window - now >= self._rules.needed

    def _judged(self, value: float, reference: Reference) -> Judgement:
        count, freedom, rules = len(reference.values), reference.freedom, self._rules
        if not count:
            return Judgement(None)
        mean = _mean(reference.values)
        if freedom < rules.minimum - 1:
            return Judgement(mean)
        error = math.sqrt(reference.squares / freedom * (1 + 1 / count))
        distance = abs(value - mean)
        if distance <= max(math.log1p(rules.material), error * t_quantile(freedom, (1 + rules.limits) / 2)):
            return Judgement(mean, error, freedom)
        far = distance > error * t_quantile(freedom, (1 + rules.outliers) / 2)
        return Judgement(mean, error, freedom, 1 if value > mean else -1, far)

    def _step_began(self, side: int, reference: Reference) -> int | None:
        """Return the index of the first value after the step that the latest value confirms, or None."""
        if not side:
            return None
        now, rules = len(self._values), self._rules
        last = range(max(self._start, now - rules.window), now)
        beyond = [index for index in last if self.judgements[index].side == side]
        far = [index for index in beyond[-rules.successive :] if self.judgements[index].far]
        if far == list(range(now - rules.successive, now)):
            confirming = far
        elif len(beyond) >= rules.needed and not self._is_part_of_creep(beyond, side):
            confirming = beyond
        else:
            return None
        first = self._likeliest_first(side, beyond, confirming, _mean(reference.values))
        return first if self._means_differ(first, side, reference) else None

    def _likeliest_first(self, side: int, beyond: Sequence[int], confirming: Sequence[int], before: float) -> int:
        """Return which of the values ``beyond`` the limits is most likely the first after the step; the last if equal.

        The means before and after are those of the reference and of the ``confirming`` values (Page 1954). A value
        farther than the latter counts as equal to it, so that an outlier before a step does not become its beginning.
        """
        after = side * float(np.median([self._values[index] for index in confirming]))
        middle = (side * before + after) / 2

        def evidence(first: int) -> float:
            return sum(min(side * value, after) - middle for value in self._values[first:])

        return max(reversed(beyond), key=evidence)

    def _means_differ(self, first: int, side: int, reference: Reference) -> bool:
        """Return whether the mean from ``first`` on differs from the reference, if that has few values since a step.

        All values are compared with the same mean of the reference. If that is wrong, many are beyond their limits.
        """
        count = len(reference.values)
        if not self.steps or count >= self._rules.settled:
            return True
        values = [self._values[index] for index in self._since(first, side)]
        error = math.sqrt(reference.squares / reference.freedom * (1 / count + 1 / len(values)))
        limit = error * t_quantile(reference.freedom, (1 + self._rules.means) / 2)
        return abs(_mean(values) - _mean(reference.values)) > limit

    def _since(self, first: int, side: int) -> list[int]:
        """Return the indices from ``first`` on, without those beyond their limits on the other side."""
        return [index for index in range(first, len(self._values)) if self.judgements[index].side != -side]

    def _is_part_of_creep(self, beyond: Sequence[int], side: int) -> bool:
        """Return whether these values are as close to their references as a creep explains, plus ``material``.

        The references of a creep lag behind, so that its values look like a step.
        """
        if not self._creeps_to(side):
            return False
        creep = self.creeps[-1]
        distances = [abs(self._values[index] - (self.judgements[index].reference or 0.0)) for index in beyond]
        size = abs(_mean(creep.after) - _mean(creep.before))
        return _mean(distances) <= size + math.log1p(self._rules.material)

    def _creeps_to(self, side: int) -> bool:
        return bool(self.creeps) and self.creeps[-1].ended is None and self.creeps[-1].side == side

    def _restart(self, first: int, side: int, reference: Reference) -> None:
        now = len(self._values) - 1
        self.steps.append(Step(first, now, side, reference.values))
        if self.creeps and self.creeps[-1].ended is None:
            self.creeps[-1] = self.creeps[-1]._replace(ended=now)
        self._start, self._before = now + 1, reference
        self._used = self._since(first, side)

    def _leave_out_early_outlier(self) -> None:
        """Leave out the farthest of the first values if the others show that it is an outlier.

        Otherwise it would widen the limits of the next ``trailing`` values.
        """
        if self._start or len(self._used) != self._rules.minimum:
            return
        middle = float(np.median([self._values[index] for index in self._used]))
        farthest = max(self._used, key=lambda index: abs(self._values[index] - middle))
        others = np.array([self._values[index] for index in self._used if index != farthest])
        error = float(others.std(ddof=1)) * math.sqrt(1 + 1 / len(others))
        limit = error * t_quantile(len(others) - 1, (1 + self._rules.outliers) / 2)
        if abs(self._values[farthest] - float(others.mean())) > max(limit, math.log1p(self._rules.material)):
            self._used.remove(farthest)
            self._early_outliers.add(farthest)

    def _judge_creep(self) -> None:
        rules, now = self._rules, len(self._values) - 1
        third = max(rules.least, len(self._used) // 3)
        if len(self._used) < 2 * third:
            return
        values = self._values
        before = [values[index] for index in self._used[: min(third, rules.first)]]
        after = [values[index] for index in self._used[-min(third, rules.last) :]]
        difference = _mean(after) - _mean(before)
        side = 1 if difference > 0 else -1
        if self._creeps_to(side) and abs(difference) >= math.log1p(rules.material) / 2:
            self.creeps[-1] = self.creeps[-1]._replace(after=after)
        elif self.creeps and self.creeps[-1].ended is None:
            self.creeps[-1] = self.creeps[-1]._replace(ended=now)
        elif abs(difference) > math.log1p(rules.material) and _welch_p(before, after) < rules.creep:
            self.creeps.append(Creep(now, None, side, before, after))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _welch_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p-value of Welch's test of equal means."""
    error = welch_error(np.array(first), np.array(second))
    if error is None:
        return 1.0
    difference = abs(_mean(first) - _mean(second))
    return 2 * t_tail(difference / error[0] if error[0] else math.inf, error[1])
