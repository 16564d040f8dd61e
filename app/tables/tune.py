"""The settings that ``tune`` would change, with those of the same values in one row."""

import re
from collections import defaultdict
from collections.abc import Sequence

from edge_bench.app.render.table import Table
from edge_bench.bench.system.cores import core_list
from edge_bench.bench.system.tuning.settings import Plan

__all__ = ["together", "tune_table"]


def tune_table(plan: Plan) -> Table:
    """Return a table with one row for each group of settings that change from one value to another."""
    groups: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for change in plan.visible:
        now = change.now.decode(errors="replace").strip()
        groups[now, change.then or "", change.why].append(change.path)
    rows = [(path, now, then, why) for (now, then, why), paths in groups.items() for path in together(paths)]
    count = len(plan.visible)
    where = f"measured cores: {plan.cpus}" if plan.cpus else "measured cores: all"
    return Table(
        title=f"Settings to change: {count}; {where}" if count else f"No settings to change; {where}",
        header=("path", "now", "then", "why"),
        rows=rows,
        keys=1,
        notes=[f"- {note}" for note in plan.notes],
    )


def together(paths: Sequence[str]) -> list[str]:
    """Return absolute paths, those that differ only in their first number as one: ``/proc/irq/{24-31}/…``."""
    numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    shown: list[str] = []
    for path in paths:
        found = re.fullmatch(r"(\D*)(\d+)(\D*)", path)
        if found:
            numbers[found[1], found[3]].append(int(found[2]))
        else:
            shown.append(f"/{path}")
    for (before, after), each in numbers.items():
        middle = str(each[0]) if len(each) == 1 else f"{{{core_list(each)}}}"
        shown.append(f"/{before}{middle}{after}")
    return shown
