"""Which operators of two profiles do the same: by the name of their output, otherwise by kind and position."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.profiles.kinds import plain_kind
from edge_bench.bench.records.profile import OperatorTime

__all__ = ["Pair", "matched"]

#: An operator of each side, in the order of execution; None: the other side has no such operator.
Pair = tuple[OperatorTime | None, OperatorTime | None]

#: Maximum number of pairs of operators to align, which takes about a second. Larger models are matched by name only.
MOST_CELLS = 4_000_000
#: Scores of a pair: the same output, the same kind with the same work, the same kind.
_SAME_NAME, _SAME_WORK, _SAME_KIND = 4, 2, 1


def matched(first: Sequence[OperatorTime], second: Sequence[OperatorTime]) -> list[Pair]:
    """Return all operators in pairs, in the order of execution. An operator without a counterpart has None beside it.

    The pairs are the alignment of the two sequences with the highest score (Needleman & Wunsch 1970, without penalties
    for gaps). Only operators of the same kind can be a pair. Those whose outputs have the same name come first, then
    those with the same multiply-accumulates.
    """
    is_large = len(first) * len(second) > MOST_CELLS
    couples = _by_name(first, second) if is_large else _aligned(_scores(first, second))
    pairs, at, other = list[Pair](), 0, 0
    for left, right in [*couples, (len(first), len(second))]:
        pairs += [(each, None) for each in first[at:left]]
        pairs += [(None, each) for each in second[other:right]]
        if left < len(first):
            pairs.append((first[left], second[right]))
        at, other = left + 1, right + 1
    return pairs


def _scores(first: Sequence[OperatorTime], second: Sequence[OperatorTime]) -> npt.NDArray[np.int16]:
    """Return the score of every pair, [first, second]; 0: not of the same kind."""

    def compare(values: list[object], others: list[object]) -> npt.NDArray[np.bool_]:
        numbers = {value: number for number, value in enumerate(dict.fromkeys([*values, *others]))}
        sides = [np.array([numbers[value] for value in each], np.int64) for each in (values, others)]
        equal: npt.NDArray[np.bool_] = sides[0][:, None] == sides[1][None, :]
        return equal

    kinds = compare([plain_kind(each.kind) for each in first], [plain_kind(each.kind) for each in second])
    # without a name or without work, an operator is equal to none
    names = compare([each.name or (0, at) for at, each in enumerate(first)],
                    [each.name or (1, at) for at, each in enumerate(second)])  # fmt: skip
    work = compare([each.macs or (0, at) for at, each in enumerate(first)],
                   [each.macs or (1, at) for at, each in enumerate(second)])  # fmt: skip
    score: npt.NDArray[np.int16] = (kinds * (_SAME_KIND + _SAME_WORK * work + _SAME_NAME * names)).astype(np.int16)
    return score


def _aligned(scores: npt.NDArray[np.int16]) -> list[tuple[int, int]]:
    """Return the pairs of the alignment with the highest sum of scores, ascending on both sides."""
    rows, columns = scores.shape
    best = np.zeros((rows + 1, columns + 1), np.int32)
    for row in range(rows):
        taken = np.where(scores[row] > 0, best[row, :-1] + scores[row], 0)
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], taken))
    pairs, row, column = list[tuple[int, int]](), rows, columns
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return pairs[::-1]


def _by_name(first: Sequence[OperatorTime], second: Sequence[OperatorTime]) -> list[tuple[int, int]]:
    """Return the pairs of operators with the same unique name and kind, ascending on both sides."""
    sides = [Counter(each.name for each in side) for side in (first, second)]
    places = {each.name: at for at, each in enumerate(second) if each.name and sides[1][each.name] == 1}
    pairs, last = list[tuple[int, int]](), -1
    for at, each in enumerate(first):
        place = places.get(each.name, -1)
        if place > last and sides[0][each.name] == 1 and plain_kind(each.kind) == plain_kind(second[place].kind):
            pairs.append((at, place))
            last = place
    return pairs
