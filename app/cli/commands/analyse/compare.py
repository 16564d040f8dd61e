"""The command ``compare``: a comparison of Runs, or a gate against an older one."""

from typing import Any

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answer, print_exported, print_next
from edge_bench.app.cli.options.analyse import (
    Across,
    Baseline,
    EarlierRunFiles,
    FailIfAccuracyDrops,
    FailIfQualityDrops,
    FailIfSlower,
)
from edge_bench.app.cli.options.shared import RunFiles, RunFormat, Why, Wide
from edge_bench.app.render.formats import MeasuredFormat
from edge_bench.bench.errors import BadInput, GateNotMet
from edge_bench.bench.wording import counted

__all__ = ["compare"]


def compare(
    runs: RunFiles,
    baseline: Baseline = None,
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
    from edge_bench.bench.analysis.labels.same_images import image_difference
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
    progress = console.progress()
    earlier = read_runs(history or [], progress)
    if older := parsing.baseline_files(baseline):
        new = read_runs(runs, progress, other_than=model_difference)
        old = read_runs(older, progress, other_than=model_difference)
        _gate(new, pair_runs(new, old, across=across), earlier, limits, output_format)
    elif limits and baseline and not across:
        new = read_runs(runs, progress, other_than=model_difference)
        _gate(new, pair_within(new, baseline[0]), earlier, limits, output_format, within=baseline[0])
    elif limits or across:
        raise BadInput(
            "--across needs older Runs to compare with" if across else "a gate needs a baseline",
            "name a configuration of these Runs, or older Runs, for example --baseline old.json",
        )
    else:
        compared = read_runs(runs, progress, other_than=image_difference)
        _compare(compared, baseline[0] if baseline else None, earlier, output_format, wide=wide, why=why)
        print_next(runs, output_format.of_tables)


def _compare(
    runs: list[Any], baseline: str | None, earlier: list[Any], output_format: MeasuredFormat, *, wide: bool, why: bool
) -> None:
    """Print the comparison of all configurations with one."""
    from edge_bench.app.cli import console
    from edge_bench.app.tables.answer.names import side_names
    from edge_bench.app.tables.profiles.comparison import explained_sentences, explained_tables
    from edge_bench.bench.analysis.comparison.comparison import compare as compare_runs

    comparison = compare_runs(runs, baseline, earlier)
    console.note_unless_shown(comparison.notes, output_format.of_tables)
    if output_format.is_export:
        print_exported(runs, output_format)
        return
    profiles = runs, comparison.baseline, side_names(comparison)
    tables = [*console.comparison_tables(comparison), *explained_tables(*profiles)]
    more, explained = "--why; all columns: --wide", explained_sentences(*profiles)
    print_answer(runs, comparison, tables, Shown(output_format.of_tables, wide=wide, why=why), more, explained)


def _gate(
    new: list[Any], pairing: Any, earlier: list[Any], limits: Any, output_format: MeasuredFormat, *, within: str = ""
) -> None:
    """Print the changes of pairs, or export the ``new`` Runs. Raise GateNotMet if a change is beyond a limit.

    within: name of the baseline in the same Runs
    """
    from edge_bench.app.cli import console
    from edge_bench.app.tables.runs.gate import changes_table, failures
    from edge_bench.bench.analysis.gate.regression_gate import changes, judge
    from edge_bench.bench.analysis.times.earlier_runs import EarlierRuns

    found = changes(pairing, EarlierRuns(earlier))
    judgements = judge(found, limits)
    console.note_unless_shown(pairing.notes, output_format.of_tables)
    if output_format.is_export:
        print_exported(new, output_format)
    else:
        console.print_table(changes_table(found, judgements, pairing.notes, within), output_format.of_tables)
    if failed := failures(judgements):
        raise GateNotMet(f"the gate failed: {len(failed)} of {counted(len(judgements), 'limit')} not met", failed[0])
