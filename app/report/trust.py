"""What to believe, in plain words: what spoiled a measurement, what failed, what was odd."""

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.report.chapter import Chapter
from edge_bench.bench.records.run import Run

__all__ = ["trust_record"]


def trust_record(chapter: Chapter) -> Html:
    """One part a Run."""
    return fragment(*(_run(run, chapter.machines[run.run_id]) for run in chapter.runs))


def _run(run: Run, machine: str) -> Html:
    return fragment(
        element("h3", with_badges(machine)),
        element("p", with_badges(_verdict(run))),
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
        _list("Not measured, or not to the end", _failures(run)),
        _list("Odd", _warnings(run)),
    )


def _verdict(run: Run) -> str:
    """The Run's state in a sentence or two."""
    trials = sum(len(result.trials) for result in run.results)
    settings = run.settings
    made = (
        f"{trials:,} trials of {len(run.measured):,} configurations, {settings.trials} each over "
        f"{settings.processes} fresh processes, interleaved in an order drawn with seed {settings.seed}."
    )
    if run.images.indices.length < run.images.total_images:
        made += (
            f" {run.images.indices.length:,} of {run.images.total_images:,} test images, drawn evenly over the classes."
        )
    if not run.labelled:
        made += " The images have no true labels: agreement is known, accuracy is not."
    if not run.complete:
        made += " The run was interrupted; these are the trials until then."
    if not run.measured:
        return "Nothing was measured."
    if run.emulated:
        return f"{made} EMULATED: predictions, accuracy and agreement count; times do not."
    if run.trusted is False or any(finding.spoils for finding in run.findings):
        return f"{made} Its times are not to be trusted, for the marked reasons."
    if run.findings and not run.trusted:
        return f"{made} Something may have disturbed it:"
    if run.trusted:
        return f"{made} Its times are to be trusted: nothing was found that spoils them."
    return f"{made} Nothing was found that would spoil it."


def _failures(run: Run) -> list[str]:
    return [
        f"{result.configuration}: {result.failure.kind}"
        f"{f' after {len(result.trials)} trials' if result.trials else ''}: {result.failure.message}"
        f"{f' ({result.failure.remedy})' if result.failure.remedy else ''}"
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
