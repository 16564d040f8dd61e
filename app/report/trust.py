"""The report's section on reliability: whether times can be trusted, findings, failures and warnings."""

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.tables.shared import failure_text
from edge_bench.bench.records.run import Run

__all__ = ["trust_section"]


def trust_section(section: BundleSection) -> Html:
    """Return one part per Run."""
    return fragment(*(_run_part(run, section.machines[run.run_id]) for run in section.runs))


def _run_part(run: Run, machine: str) -> Html:
    return fragment(
        element("h3", with_badges(machine)),
        element("p", with_badges(_summary(run))),
        *(
            element(
                "p",
                with_badges(f"{finding.what[:1].upper()}{finding.what[1:]}. "),
                element("b", "To do: ") if finding.remedy else None,
                f"{finding.remedy}." if finding.remedy else None,
                class_="spoils" if finding.spoils else None,
            )
            for finding in run.findings
        ),
        _list("Interpretation of images and labels", [str(record) for record in run.interpretations]),
        _list("Not measured, or not to the end", _failures(run)),
        _list("Odd", _warnings(run)),
    )


def _summary(run: Run) -> str:
    """Return how the Run was measured and whether its times can be trusted."""
    trials = sum(len(result.trials) for result in run.results)
    settings = run.settings
    summary = (
        f"{trials:,} trials of {len(run.results_with_trials):,} configurations, {settings.trials} each over "
        f"{settings.processes} fresh processes, interleaved in an order drawn with seed {settings.seed}."
    )
    if run.images.indices.length < run.images.total_images:
        summary += (
            f" {run.images.indices.length:,} of {run.images.total_images:,} test images, drawn evenly over the classes."
        )
    if not run.labelled:
        summary += " The images have no true labels: agreement is known, accuracy is not."
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
