"""The report's section on reliability: whether times can be trusted, findings, failures and warnings."""

from collections.abc import Callable, Sequence

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.render.units import counted
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.tables.shared import failure_text, once_per_group
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import CLASSIFY, Run
from edge_bench.bench.system.machine import Finding

__all__ = ["trust_section"]


def trust_section(section: BundleSection) -> Html:
    """Return one part per Run or group of repeats."""
    return fragment(*(_group_part(group, section.machines[group[0].run_id]) for group in section.groups))


def _group_part(group: Sequence[Run], machine: str) -> Html:
    """Return what is said about these Runs, each thing once; what is not true of all names its Runs."""

    def texts(of_run: Callable[[Run], list[str]]) -> list[str]:
        return [_named(runs, text) for text, runs in once_per_group(group, of_run)]

    return fragment(
        element("h3", with_badges(machine)),
        *(element("p", with_badges(text)) for text in texts(lambda run: [_summary(run)])),
        *(_finding(finding, runs) for finding, runs in once_per_group(group, lambda run: run.findings)),
        _list("Interpretation of images and labels", texts(lambda run: list(map(str, run.interpretations)))),
        _list("Not measured, or not to the end", texts(_failures)),
        _list("Odd", texts(_warnings)),
    )


def _named(runs: str, text: str) -> str:
    """Return the text after the names of its Runs, if any: ``Runs 2, 4: …``."""
    return f"{runs[:1].upper()}{runs[1:]}: {text}" if runs else text


def _finding(finding: Finding, runs: str) -> Html:
    return element(
        "p",
        with_badges(f"{_named(runs, f'{finding.what[:1].upper()}{finding.what[1:]}')}. "),
        element("b", "To do: ") if finding.remedy else None,
        f"{finding.remedy}." if finding.remedy else None,
        class_="spoils" if finding.spoils else None,
    )


def _summary(run: Run) -> str:
    """Return how the Run was measured and whether its times can be trusted."""
    trials = sum(len(result.trials) for result in run.results)
    settings = run.settings
    summary = (
        f"{counted(trials, 'trial')} of {counted(len(run.results_with_trials), 'configuration')}, {settings.trials} "
        f"each over {settings.processes} fresh process{'' if settings.processes == 1 else 'es'}, interleaved in an "
        f"order drawn with seed {settings.seed}."
    )
    if run.images.indices.length < run.images.total_images:
        summary += (
            f" {run.images.indices.length:,} of {run.images.total_images:,} test images, drawn evenly over the classes."
        )
    summary += _without_truth(run)
    if run.accuracy_assumed:
        summary += " ASSUMED ACCURACY: nothing shows that images and labels are interpreted correctly."
    if not run.complete:
        summary += " The run was interrupted; these are the trials until then."
    if not run.results_with_trials:
        return "Nothing was measured."
    if run.emulated:
        return f"{summary} EMULATED: predictions, accuracy and agreement count; times do not."
    if run.trusted is False or any(finding.spoils for finding in run.findings):
        return f"{summary} Its times are not to be trusted, for the marked reasons."
    if run.findings and not run.trusted:
        return f"{summary} Something may have disturbed it:"
    if run.trusted:
        return f"{summary} Its times are to be trusted: nothing was found that spoils them."
    return f"{summary} Nothing was found that would spoil it."


def _without_truth(run: Run) -> str:
    """Return a sentence if a task that has a quality has no true values."""
    if run.task == CLASSIFY:
        return "" if run.labelled else " The images have no true labels: agreement is known, accuracy is not."
    outputs = [result.outputs for result in run.results if result.outputs is not None]
    is_known = run.truth is not None or any(isinstance(each, Segmentation) and each.cells for each in outputs)
    if is_known or not outputs or all(isinstance(each, TensorOutputs) for each in outputs):
        return ""
    return " The examples have no true values: agreement is known, quality is not."


def _failures(run: Run) -> list[str]:
    return [
        f"{result.configuration}: {failure_text(result.failure, len(result.trials))}"
        for result in run.results
        if result.failure
    ]


def _warnings(run: Run) -> list[str]:
    return [f"{result.configuration}: {warning}" for result in run.results for warning in result.warnings]


def _list(title: str, items: list[str]) -> Html | None:
    if not items:
        return None
    return fragment(
        element("p", element("b", f"{title}:"), class_="small"),
        element("ul", *(element("li", item) for item in items), class_="notes"),
    )
