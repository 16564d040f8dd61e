"""The paper's Figure 1: the machines, side by side."""

from edge_bench.app.render.html.elements import Html, element
from edge_bench.app.render.html.table import table_box, with_badges
from edge_bench.app.render.units import mebibytes, significant
from edge_bench.app.report.chapter import Chapter
from edge_bench.bench.records.run import Run

__all__ = ["facts_table", "machines_table"]


def machines_table(chapter: Chapter) -> Html:
    """One column a Run."""
    names = [chapter.machines[run.run_id] for run in chapter.runs]
    columns = [_facts(run) for run in chapter.runs]
    rows = {fact: [column[fact] for column in columns] for fact in columns[0]}
    return facts_table("The machines", names, {fact: values for fact, values in rows.items() if any(values)})


def facts_table(label: str, columns: list[str], rows: dict[str, list[str]]) -> Html:
    """Properties down, things across."""
    head = element(
        "tr", element("th", "", scope="col"), *(element("th", with_badges(name), scope="col") for name in columns)
    )
    body = [
        element("tr", element("th", fact, scope="row"), *(element("td", with_badges(value)) for value in values))
        for fact, values in rows.items()
    ]
    return element("div", table_box(label, head, body), class_="facts")


def _facts(run: Run) -> dict[str, str]:
    machine = run.machine
    return {
        "board": machine.board,
        "CPU": machine.cpu or "not stated",
        "architecture": f"{machine.architecture}{' EMULATED' if machine.emulated else ''}",
        "cores": str(machine.cores),
        "highest clock": f"{significant(machine.frequency_mhz / 1000)} GHz" if machine.frequency_mhz else "not stated",
        "frequency governor": machine.governor or "not stated",
        "memory": mebibytes(machine.memory_bytes),
        "operating system": machine.os,
        "kernel": machine.kernel,
        "container": "yes" if machine.container else "no",
        "Python": machine.python,
        "libraries": ", ".join(f"{name} {version}" for name, version in machine.libraries.items()),
    }
