"""Two profiles side by side: the sentence that explains their difference, and the table of all operators."""

from collections.abc import Callable, Sequence

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.table import Lazy, Record, Table
from edge_bench.app.render.units import percent, significant
from edge_bench.app.tables.profiles.table import milliseconds
from edge_bench.bench.analysis.profiles.difference import Contribution, ProfileDifference
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.records.profile import OperatorTime, Profile
from edge_bench.bench.wording import counted

__all__ = ["difference_records", "difference_sentences", "difference_table", "profile_names"]

#: Time outside the operators is mentioned if it is at least this share of the difference.
_LEAST_OUTSIDE = 0.1
#: Operators that a sentence names, and that the line about unmatched ones lists.
_MOST_NAMED, _MOST_LISTED = 3, 6
_MAX_NAME = 60


def profile_names(profiles: Sequence[Profile], places: Sequence[str] = ()) -> list[str]:
    """Return a short name of each profile: its variant, with what else differs; no two are the same.

    places: of each profile, its machine or Run
    """
    fields = [
        [profile.variant for profile in profiles],
        [profile.runtime for profile in profiles],
        [profile.runtime_version for profile in profiles],
        [counted(profile.threads, "thread") for profile in profiles],
        [f"batch {profile.batch_size}" for profile in profiles],
        [profile.delegate or "no delegate" for profile in profiles],
        list(places),
    ]
    differing = [values for values in fields if len(set(values)) > 1]
    if not differing or fields[0] not in differing:
        differing.insert(0, fields[0])
    names = [one_line(" · ".join(parts), _MAX_NAME) for parts in zip(*differing, strict=True)]  # also in headings
    return [f"{name} ({number})" if names.count(name) > 1 else name for number, name in enumerate(names, start=1)]


def difference_sentences(difference: ProfileDifference, names: Sequence[str]) -> list[str]:
    """Return what explains the difference, in one sentence, and operators that only one of the profiles has.

    names: of the two profiles
    """
    return [_explanation(difference, *names), *_unmatched(difference, *names)]


def _explanation(difference: ProfileDifference, first: str, second: str) -> str:
    if not difference.differs:
        return f"{first} and {second} do not differ by 2 % or more, or by more than their times vary."
    slow, fast = difference.first_seconds, difference.second_seconds
    fast_name, slow_name = (second, first) if slow > fast else (first, second)
    head = f"{fast_name} is {significant(max(slow, fast) / min(slow, fast))}× faster than {slow_name}"
    names = _Names(difference)
    if not difference.named:
        return f"{head}. No single operator explains 10 % of the difference by more than its time varies."
    largest, *others = difference.named[:_MOST_NAMED]
    rest = difference.named[_MOST_NAMED:]
    more = [f"and {counted(len(rest), 'other')} {_percent(sum(each.share or 0 for each in rest))}"] if rest else []
    texts = [
        ", ".join(
            [
                f"{head}: {names.of(largest)} explains {_percent(largest.share)} of the difference",
                *(f"{names.of(each)} {_percent(each.share)}" for each in others),
                *more,
            ]
        )
    ]
    if difference.opposed:
        opposed = ", ".join(
            f"{names.of(each)} {_percent(-(each.share or 0))}" for each in difference.opposed[:_MOST_NAMED]
        )
        texts.append(f"the other way: {opposed}")
    outside = difference.outside_share
    if outside is not None and abs(outside) >= _LEAST_OUTSIDE:
        texts.append(f"{_percent(outside)} is outside the operators")
    return f"{'; '.join(texts)}."


def _unmatched(difference: ProfileDifference, first: str, second: str) -> list[str]:
    names, lines = _Names(difference), list[str]()
    for name, alone in (
        (first, [each for each in difference.unmatched if each.second is None]),
        (second, [each for each in difference.unmatched if each.first is None]),
    ):
        if alone:
            listed = ", ".join(names.of(each) for each in alone[:_MOST_LISTED])
            more = f" and {len(alone) - _MOST_LISTED} more" if len(alone) > _MOST_LISTED else ""
            lines.append(f"Only in {name}: {listed}{more}.")
    return lines


class _Names:
    """The names of the operators of both profiles."""

    def __init__(self, difference: ProfileDifference) -> None:
        self._names: dict[int, str] = {}
        for profile in (difference.first, difference.second):
            named = zip(profile.operators, operator_names(profile.operators), strict=True)
            self._names |= {id(operator): name for operator, name in named}

    def of(self, pair: Contribution) -> str:
        """Return the name of a pair: that of the first profile's operator, if it has one."""
        return self._names[id(pair.operator)]


def difference_table(difference: ProfileDifference, profiles: Sequence[str]) -> Table:
    """Return a row for each pair of operators, the largest difference first; ``profiles`` are their names."""
    names, columns = _Names(difference), [*(one_line(name, _MAX_NAME) for name in profiles), "difference"]
    ms = milliseconds(difference.first)
    unit = "ms" if difference.first.batch_size == difference.second.batch_size == 1 else "ms per example"

    def cells(pair: Contribution) -> list[str]:
        sides = (pair.first, difference.first), (pair.second, difference.second)
        return [
            names.of(pair),
            pair.operator.kind,
            *(_time(operator, profile, ms) for operator, profile in sides),
            ms(pair.seconds) if pair.beyond_spread else "within spread",
            "" if pair.share is None else str(round(100 * pair.share)),
        ]

    return Table(
        title=f"{' and '.join(profiles)}: time of each operator",
        header=("operator", "kind", *(f"{name},\n{unit}" for name in columns), "% of the\ndifference"),
        rows=Lazy(cells, sorted(difference.contributions, key=lambda pair: -abs(pair.seconds))),
        keys=2,
        notes=difference_sentences(difference, profiles),
        records=difference_records(difference),
    )


def _time(operator: OperatorTime | None, profile: Profile, ms: Callable[[float], str]) -> str:
    if operator is None:
        return ""
    if profile.is_resolved(operator) or not profile.resolution_seconds:
        return ms(operator.seconds / profile.batch_size)
    return f"< {ms(profile.resolution_seconds / profile.batch_size)}"


def difference_records(difference: ProfileDifference) -> Sequence[Record]:
    """Return a record for each pair of operators, in the order of execution; times in seconds per example."""
    names = _Names(difference)

    def record(pair: Contribution) -> Record:
        return {
            "operator": names.of(pair),
            "kind": pair.operator.kind,
            "first_index": pair.first.index if pair.first else None,
            "second_index": pair.second.index if pair.second else None,
            "first_seconds": pair.first.seconds / difference.first.batch_size if pair.first else None,
            "second_seconds": pair.second.seconds / difference.second.batch_size if pair.second else None,
            "difference_seconds": pair.seconds,
            "share_of_difference": pair.share,
            "beyond_spread": pair.beyond_spread,
        }

    return Lazy(record, list(difference.contributions))


def _percent(share: float | None) -> str:
    return "" if share is None else f"{percent(share, 0)} %"
