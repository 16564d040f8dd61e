"""The command ``compare``: a comparison of Runs, or a gate against an older one."""

from pathlib import Path
from typing import TYPE_CHECKING

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answer, print_next
from edge_bench.app.cli.options.analyse import (
    Across,
    Baseline,
    EarlierRunFiles,
    FailIfAccuracyDrops,
    FailIfQualityDrops,
    FailIfSlower,
    Newest,
)
from edge_bench.app.cli.options.shared import OutputFormat, RunFiles, Why, Wide
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import BadInput, GateNotMet
from edge_bench.bench.wording import counted

if TYPE_CHECKING:
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
    output_format: OutputFormat = Format.TABLE,
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Compare Runs with a baseline, or with older Runs as a gate.

    The baseline is a configuration (by default keras), or older Runs of the same configurations.
    """
    from edge_bench.app.cli import console
    from edge_bench.bench.analysis.gate.regression_gate import Limits
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
        _gate(new, old, earlier or before, limits, output_format, across=across)
    elif older := parsing.baseline_files(baseline):
        new = read_runs(runs, progress, other_than=model_difference)
        old = read_runs(older, progress, other_than=model_difference)
        _gate(new, old, earlier, limits, output_format, across=across)
    elif limits or across:
        named = f", and --baseline {baseline[0]} has none" if baseline else ""
        raise BadInput(
            f"a gate needs older Runs to compare with{named}",
            "give their files or folders, for example --baseline old.json, or use --newest",
        )
    else:
        _compare(runs, baseline[0] if baseline else None, earlier, Shown(output_format, wide=wide, why=why))


def _compare(runs: list[Path], baseline: str | None, earlier: "EarlierRuns | None", shown: Shown) -> None:
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
    profiles = compared, comparison.baseline, side_names(comparison)
    tables = [*console.comparison_tables(comparison), *explained_tables(*profiles)]
    more, explained = "--why; all columns: --wide", explained_sentences(*profiles)
    print_answer(compared, comparison, tables, shown, more, explained)
    print_next(runs, shown.form)


def _gate(
    new: "list[Run]",
    old: "list[Run]",
    earlier: "EarlierRuns | None",
    limits: "Limits",
    output_format: Format,
    *,
    across: bool,
) -> None:
    from edge_bench.app.cli import console
    from edge_bench.app.tables.runs.gate import changes_table, failures
    from edge_bench.bench.analysis.gate.pairing import pair_runs
    from edge_bench.bench.analysis.gate.regression_gate import changes, judge
    from edge_bench.bench.analysis.times.earlier_runs import NO_EARLIER_RUNS

    pairing = pair_runs(new, old, across=across)
    found = changes(pairing, earlier or NO_EARLIER_RUNS)
    judgements = judge(found, limits)
    console.note_unless_shown(pairing.notes, output_format)
    console.print_table(changes_table(found, judgements, pairing.notes), output_format)
    if failed := failures(judgements):
        raise GateNotMet(f"the gate failed: {len(failed)} of {counted(len(judgements), 'limit')} not met", failed[0])
