"""The report's section on reliability: whether times can be trusted, findings, failures and warnings."""

from collections.abc import Callable, Sequence

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.render.units import counted
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.report.devices.machines import in_group, properties_table
from edge_bench.app.tables.energy import energy_fact
from edge_bench.app.tables.shared import failure_text, once_per_group
from edge_bench.bench.analysis.times.reliability import trusted
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import CLASSIFY, Run
from edge_bench.bench.system.machine import Finding

__all__ = ["trust_section"]


def trust_section(section: BundleSection) -> Html:
    """Return a table with a column per Run or group of repeats, then what was found of each."""
    names = [section.machines[group[0].run_id] for group in section.groups]
    columns = [list(map(_properties, group)) for group in section.groups]
    rows = {name: [in_group(each[name] for each in column) for column in columns] for name in columns[0][0]}
    return fragment(
        properties_table("Reliability", names, {name: values for name, values in rows.items() if any(values)}),
        *(
            fragment(element("h3", with_badges(", ".join(of_machines))), part)
            for part, of_machines in _parts(section, names).items()
        ),
    )


def _parts(section: BundleSection, names: Sequence[str]) -> dict[Html, list[str]]:
    """Return what was found, with the machines it was found of."""
    found: dict[Html, list[str]] = {}
    for group, name in zip(section.groups, names, strict=True):
        if part := _group_part(group):
            found.setdefault(part, []).append(name)
    return found


def _group_part(group: Sequence[Run]) -> Html:
    """Return what was found of these Runs, each thing once; what is not true of all names its Runs."""

    def texts(of_run: Callable[[Run], list[str]]) -> list[str]:
        return [_named(runs, text) for text, runs in once_per_group(group, of_run)]

    return fragment(
        *(_finding(finding, runs) for finding, runs in once_per_group(group, lambda run: run.findings)),
        _list("Interpretation of images and labels", texts(lambda run: list(map(str, run.interpretations)))),
        _list("Failed", texts(_failures)),
        _list("Warnings", texts(_warnings)),
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
        class_="doubt" if finding.spoils else None,
    )


def _properties(run: Run) -> dict[str, str]:
    """Return how the Run was measured, and whether its times are reliable."""
    settings, trials = run.settings, sum(len(result.trials) for result in run.results)
    brief = sum(bool(result.first_round) and not result.trials for result in run.results)
    failed = sum(result.failure is not None for result in run.results)
    return {
        "times reliable": _times(run),
        "configurations": f"{len(run.results_with_trials)} measured{f', {failed} failed' if failed else ''}"
        f"{f', {brief} left out after the first round' if brief else ''}",
        "trials": f"{trials:,}, planned {settings.trials} of each configuration in "
        f"{counted(settings.processes, 'process')}",
        "order of trials": f"interleaved at random, seed {settings.seed}",
        "energy": energy_fact(run),
        "complete": "" if run.complete else "no: the run was interrupted",
        "examples": _examples(run),
        "accuracy" if run.task == CLASSIFY else "quality": _truth(run),
    }


def _times(run: Run) -> str:
    if not run.results_with_trials:
        return "no: nothing was measured"
    if run.emulated:
        return "EMULATED: predictions are valid, times are not"
    known = trusted([run])
    if known is None:
        return "unknown: the Run does not record it"
    if known:
        return "yes: nothing was found that disturbed them"
    return "no: the reasons are below"


def _examples(run: Run) -> str:
    measured, total = run.images.indices.length, run.images.total_images
    if measured == total:
        return f"{total:,}"
    return f"{measured:,} of {total:,}{', drawn evenly over classes' if run.task == CLASSIFY else ''}"


def _truth(run: Run) -> str:
    """Return why accuracy or quality is not known, or depends on an assumption; empty if neither."""
    if run.accuracy_assumed:
        return "ASSUMED: nothing shows that images and labels are interpreted correctly"
    if run.task == CLASSIFY:
        return "" if run.labelled else "unknown: the images have no true labels. Only agreement is known"
    outputs = [result.outputs for result in run.results if result.outputs is not None]
    is_known = run.truth is not None or any(isinstance(each, Segmentation) and each.cells for each in outputs)
    if is_known or not outputs or all(isinstance(each, TensorOutputs) for each in outputs):
        return ""
    return "unknown: the examples have no true values. Only agreement is known"


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
