"""The paper's Figure 1: the machines, side by side."""

from collections.abc import Iterable

from edge_bench.app.render.html.elements import Html, element
from edge_bench.app.render.html.table import table_box, with_badges
from edge_bench.app.render.units import significant, size
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.bench.records.run import Run

__all__ = ["in_group", "machines_table", "properties_table"]


def machines_table(section: BundleSection) -> Html:
    """Return a table with one column per Run or group of repeats; properties that no machine has are omitted."""
    names = [section.machines[group[0].run_id] for group in section.groups]
    columns = [list(map(_properties, group)) for group in section.groups]
    rows = {name: [in_group(each[name] for each in column) for column in columns] for name in columns[0][0]}
    return properties_table("The machines", names, {name: values for name, values in rows.items() if any(values)})


def properties_table(label: str, columns: list[str], rows: dict[str, list[str]]) -> Html:
    """Return a table of properties: ``rows`` maps a property's name to its value in each column."""
    head = element(
        "tr", element("th", "", scope="col"), *(element("th", with_badges(name), scope="col") for name in columns)
    )
    body = [
        element("tr", element("th", name, scope="row"), *(element("td", with_badges(value)) for value in values))
        for name, values in rows.items()
    ]
    return element("div", table_box(label, head, body), class_="facts")


def in_group(values: Iterable[str]) -> str:
    """Return the different values of a property in a group of Runs, in their order."""
    return " / ".join(dict.fromkeys(filter(None, values)))


def _properties(run: Run) -> dict[str, str]:
    machine = run.machine
    return {
        "board": machine.board,
        "CPU": machine.cpu or "unknown",
        "architecture": f"{machine.architecture}{' EMULATED' if machine.emulated else ''}",
        "cores": f"{machine.cores}{f' (measured: {run.settings.cpus})' if run.settings.cpus else ''}",
        "highest clock": f"{significant(machine.frequency_mhz / 1000)} GHz" if machine.frequency_mhz else "unknown",
        "frequency governor": machine.governor or "unknown",
        "tuned": ", ".join(run.tuned or []),
        "memory": size(machine.memory_bytes),
        "operating system": machine.os,
        "kernel": machine.kernel,
        "container": "yes" if machine.container else "no",
        "Python": machine.python,
        "libraries": ", ".join(f"{name} {version}" for name, version in machine.libraries.items()),
    }
