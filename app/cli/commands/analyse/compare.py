"""The command ``compare``: a comparison of Runs, or a gate against an older one."""

from pathlib import Path
from typing import TYPE_CHECKING

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answer, print_exported, print_next
from edge_bench.app.cli.options.analyse import (
    Across,
    Baseline,
    EarlierRunFiles,
    FailIfAccuracyDrops,
    FailIfQualityDrops,
    FailIfSlower,
    Newest,
)
from edge_bench.app.cli.options.shared import RunFiles, RunFormat, Why, Wide
from edge_bench.app.render.formats import MeasuredFormat
from edge_bench.bench.errors import BadInput, GateNotMet
from edge_bench.bench.wording import counted

if TYPE_CHECKING:
    from edge_bench.bench.analysis.gate.pairing import Pairing
    from edge_bench.bench.analysis.gate.regression_gate import Limits
    from edge_bench.bench.analysis.times.earlier_runs import EarlierRuns
    from edge_bench.bench.records.run import Run

__all__ = ["compare"]


def compare(
    runs: RunFiles,
    baseline: Baseline = None,
    newest: Newest = False,
    history: EarlierRunFiles = None,
    fail_if_slower: FailIfSlower = None,
    fail_if_accuracy_drops: FailIfAccuracyDrops = None,
    fail_if_quality_drops: FailIfQualityDrops = None,
    across: Across = False,
    output_format: RunFormat = MeasuredFormat.TABLE,
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Compare Runs with a baseline, or with older Runs as a gate.

    The baseline is a configuration (by default keras), or older Runs of the same configurations. A gate compares each
    configuration with the baseline's of the same runtime, threads and batch size, or with itself in older Runs.
    """
    from edge_bench.app.cli import console
    from edge_bench.bench.analysis.gate.pairing import pair_runs
    from edge_bench.bench.analysis.gate.regression_gate import Limits
    from edge_bench.bench.analysis.gate.within_runs import pair_within
    from edge_bench.bench.measure.stored.newest import newest_runs, variation_from
    from edge_bench.bench.measure.stored.reading import model_difference, read_runs

    if fail_if_accuracy_drops is not None and fail_if_quality_drops is not None:
        raise BadInput(
            "--fail-if-accuracy-drops and --fail-if-quality-drops limit the same measure",
            "use only --fail-if-quality-drops",
        )
    limits = Limits(
        slower=parsing.share(fail_if_slower, "--fail-if-slower"),
        accuracy_drop=parsing.points(fail_if_accuracy_drops, "--fail-if-accuracy-drops"),
        quality_drop=parsing.points(fail_if_quality_drops, "--fail-if-quality-drops"),
    )
    if newest and baseline:
        raise BadInput("--newest and --baseline both choose what to compare with", "use only one of them")
    progress = console.progress()
    earlier = variation_from(history, progress) if history else None
    if newest:
        new, old, before = newest_runs(runs, progress)
        _gate(new, pair_runs(new, old, across=across), earlier or before, limits, output_format)
    elif older := parsing.baseline_files(baseline):
        new = read_runs(runs, progress, other_than=model_difference)
        old = read_runs(older, progress, other_than=model_difference)
        _gate(new, pair_runs(new, old, across=across), earlier, limits, output_format)
    elif limits and baseline and not across:
        new = read_runs(runs, progress, other_than=model_difference)
        _gate(new, pair_within(new, baseline[0]), earlier, limits, output_format, within=baseline[0])
    elif limits or across:
        raise BadInput(
            "--across needs older Runs to compare with" if across else "a gate needs a baseline",
            "name a configuration of these Runs, or older Runs, for example --baseline old.json, or use --newest",
        )
    else:
        shown = Shown(output_format.of_tables, wide=wide, why=why)
        _compare(runs, baseline[0] if baseline else None, earlier, output_format, shown)


def _compare(
    runs: list[Path],
    baseline: str | None,
    earlier: "EarlierRuns | None",
    output_format: MeasuredFormat,
    shown: Shown,
) -> None:
    """Compare the configurations of Runs with one of them."""
    from edge_bench.app.cli import console
    from edge_bench.app.tables.answer.names import side_names
    from edge_bench.app.tables.profiles.comparison import explained_sentences, explained_tables
    from edge_bench.bench.analysis.comparison.comparison import compare as compare_runs
    from edge_bench.bench.analysis.labels.same_images import image_difference
    from edge_bench.bench.measure.stored.reading import read_runs

    compared = read_runs(runs, console.progress(), other_than=image_difference)
    comparison = compare_runs(compared, baseline, earlier or ())
    console.note_unless_shown(comparison.notes, shown.form)
    if output_format.is_export:
        print_exported(compared, output_format)
        return
    profiles = compared, comparison.baseline, side_names(comparison)
    tables = [*console.comparison_tables(comparison), *explained_tables(*profiles)]
    more, explained = "--why; all columns: --wide", explained_sentences(*profiles)
    print_answer(compared, comparison, tables, shown, more, explained)
    print_next(runs, shown.form)


def _gate(
    new: "list[Run]",
    pairing: "Pairing",
    earlier: "EarlierRuns | None",
    limits: "Limits",
    output_format: MeasuredFormat,
    *,
    within: str = "",
) -> None:
    """Print the changes of pairs, or export the ``new`` Runs. Raise GateNotMet if a change is beyond a limit.

    within: name of the baseline in the same Runs
    """
    from edge_bench.app.cli import console
    from edge_bench.app.tables.runs.gate import changes_table, failures
    from edge_bench.bench.analysis.gate.regression_gate import changes, judge
    from edge_bench.bench.analysis.times.earlier_runs import NO_EARLIER_RUNS

    found = changes(pairing, earlier or NO_EARLIER_RUNS)
    judgements = judge(found, limits)
    console.note_unless_shown(pairing.notes, output_format.of_tables)
    if output_format.is_export:
        print_exported(new, output_format)
    else:
        console.print_table(changes_table(found, judgements, pairing.notes, within), output_format.of_tables)
    if failed := failures(judgements):
        raise GateNotMet(f"the gate failed: {len(failed)} of {counted(len(judgements), 'limit')} not met", failed[0])
