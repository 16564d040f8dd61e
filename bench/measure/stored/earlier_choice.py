"""The settings that a budget chose for an earlier run, so that ``--once`` and ``--resume`` find it again."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.disk_space import writable_folder
from edge_bench.bench.measure.duration.budget import CHOSEN
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.stored.matching import complete_runs, same_machine, same_settings
from edge_bench.bench.records.journal.journal import JOURNAL, read_journal
from edge_bench.bench.records.run import Configuration, Run, Settings
from edge_bench.bench.system.machine import describe_machine

__all__ = ["EarlierChoice"]


class EarlierChoice:
    """Looks for earlier settings in the journals of a results folder (``resume``) and in its complete Runs."""

    def __init__(
        self,
        results: Path,
        stated: Collection[str],
        explicit_options: Collection[str] | None,
        *,
        once: bool,
        resume: bool,
        repeated: bool = False,
    ) -> None:
        """``stated`` and ``explicit_options`` are as for `Budget` and `session.measure`.

        With ``repeated`` and ``resume``, the complete Runs of an unfinished group count, too.
        """
        self._results, self._stated, self._explicit = results, stated, explicit_options
        self._once, self._resume, self._repeated = once, resume, repeated

    def __call__(self, wanted: Settings, planned: Sequence[Planned]) -> Settings | None:
        """Return ``wanted`` with the settings chosen for the newest run of the same models; None if there is none.

        Raise BadInput early if the results folder cannot be written, before the speed is measured.
        """
        writable_folder(self._results)
        models, machine = _models_of_plan(planned), describe_machine()
        for run, is_exact in self._runs():
            if not same_machine(run.machine, machine) or _models_of_run(run) != models:
                continue
            chosen = {name: getattr(run.settings, name) for name in CHOSEN if name not in self._stated}
            settings = msgspec.structs.replace(wanted, **chosen)
            if same_settings(run.settings, settings, None if is_exact else self._explicit):
                return settings
        return None

    def _runs(self) -> Iterator[tuple[Run, bool]]:
        """Yield runs that may be reused, and whether all of their settings must be the same."""
        if self._once:
            yield from ((run, False) for run, _ in complete_runs(self._results))
        if not self._resume:
            return
        for path in sorted(self._results.glob(f"run-*{JOURNAL}"), reverse=True):
            try:
                yield read_journal(path)[0], True
            except ResultsError:
                continue
        if self._repeated:
            yield from ((run, True) for run, _ in complete_runs(self._results) if run.repeat_group)


def _models_of_plan(planned: Sequence[Planned]) -> set[tuple[Configuration, str, str]]:
    return {(item.configuration, item.variant.sha256, item.runtime_version) for item in planned}


def _models_of_run(run: Run) -> set[tuple[Configuration, str, str]]:
    return {(result.configuration, result.sha256, result.runtime_version) for result in run.results}
