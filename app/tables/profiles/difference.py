"""Two profiles side by side: the sentence that explains their difference, and the table of all operators."""

from collections.abc import Sequence

from edge_bench.app.render.table import Lazy, Record, Table
from edge_bench.app.render.units import percent, significant
from edge_bench.bench.analysis.profiles.difference import Contribution, ProfileDifference
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.records.profile import OperatorTime, Profile
from edge_bench.bench.wording import counted

__all__ = ["difference_records", "difference_sentences", "difference_table", "profile_names"]

#: Time outside the operators is mentioned if it is at least this share of the difference.
_LEAST_OUTSIDE = 0.1
_MOST_LISTED = 6


def profile_names(profiles: Sequence[Profile]) -> list[str]:
    """Return a short name of each profile: its variant, with what else differs; no two are the same."""
    fields = {
        "variant": [profile.variant for profile in profiles],
        "model": [profile.model for profile in profiles],
        "runtime": [profile.runtime for profile in profiles],
        "version": [profile.runtime_version for profile in profiles],
        "threads": [counted(profile.threads, "thread") for profile in profiles],
        "batch": [f"batch {profile.batch_size}" for profile in profiles],
        "delegate": [profile.delegate or "no delegate" for profile in profiles],
    }
    differing = [values for values in fields.values() if len(set(values)) > 1] or [fields["variant"]]
    if len(differing) > 1 and len(set(fields["variant"])) == len(profiles):
        differing = [values for values in differing if values is not fields["model"]]
    names = [" · ".join(parts) for parts in zip(*differing, strict=True)]
    return [
        f"{name} ({number})" if names.count(name) > 1 else name for number, name in enumerate(names, start=1)
    ]


def difference_sentences(difference: ProfileDifference) -> list[str]:
    """Return what explains the difference, in one sentence, and operators that only one of the profiles has."""
    first, second = profile_names([difference.first, difference.second])
    lines = [_explanation(difference, first, second)]
    unmatched = _unmatched(difference, first, second)
    return [*lines, *unmatched]


def _explanation(difference: ProfileDifference, first: str, second: str) -> str:
    if not difference.differs:
        return f"{first} and {second} do not differ by more than their times vary, or by less than 2 %."
    slow, fast = difference.first_seconds, difference.second_seconds
    fast_name, slow_name = (second, first) if slow > fast else (first, second)
    head = f"{fast_name} is {significant(max(slow, fast) / min(slow, fast))}× faster than {slow_name}"
    names = _Names(difference)
    parts = [f"{names.of(each)} {_percent(each.share)}" for each in difference.named]
    if not parts:
        return f"{head}. No single operator explains 10 % of the difference by more than its time varies."
    texts = [f"{head}: {_explains(parts)}"]
    if difference.opposed:
        opposed = ", ".join(f"{names.of(each)} {_percent(-(each.share or 0))}" for each in difference.opposed)
        texts.append(f"the other way: {opposed}")
    outside = difference.outside_share
    if outside is not None and abs(outside) >= _LEAST_OUTSIDE:
        texts.append(f"{_percent(outside)} is outside the operators")
    return f"{'; '.join(texts)}."


def _explains(parts: Sequence[str]) -> str:
    """Return ``conv2d_1 explains 62 % of the difference, dense 21 %``."""
    name, share = parts[0].rsplit(" ", 2)[0], " ".join(parts[0].rsplit(" ", 2)[1:])
    return ", ".join([f"{name} explains {share} of the difference", *parts[1:]])


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


def difference_table(difference: ProfileDifference) -> Table:
    """Return a row for each pair of operators, the largest difference first."""
    first, second = profile_names([difference.first, difference.second])
    names = _Names(difference)
    pairs = sorted(difference.contributions, key=lambda pair: -abs(pair.seconds))

    def cells(pair: Contribution) -> list[str]:
        return [
            names.of(pair),
            pair.operator.kind,
            _microseconds(pair.first, difference.first),
            _microseconds(pair.second, difference.second),
            f"{significant(1e6 * pair.seconds)}" if pair.beyond_spread else "within spread",
            _percent(pair.share) if pair.share is not None else "",
        ]

    return Table(
        title=f"{first} and {second}: time of each operator",
        header=("operator", "kind", f"{first}, µs", f"{second}, µs", "difference, µs", "share of the difference"),
        rows=Lazy(cells, pairs),
        keys=2,
        notes=difference_sentences(difference),
        records=difference_records(difference),
    )


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


def _microseconds(operator: OperatorTime | None, profile: Profile) -> str:
    return "" if operator is None else significant(1e6 * operator.seconds / profile.batch_size)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{percent(share, 0)} %"
