"""Short names of configurations and of Runs."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from edge_bench.app.render.text.wrapping import middle_shortened
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.records.delegate import shown_delegate
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.wording import counted

__all__ = ["Configured", "Sides", "baseline_name", "configuration_name", "short_name", "side_names"]

_MAX_NAME, _MAX_HOST = 24, 14
_EMULATED = " EMULATED"


class Configured(Protocol):
    """A row of a comparison, or anything else that has a configuration."""

    @property
    def configuration(self) -> Configuration:
        """Its configuration."""


def configuration_name(configuration: Configuration, rows: Sequence[Configured], limit: int = _MAX_NAME) -> str:
    """Return ``dynamic on litert``, with threads, batch size and delegate if ``rows`` have it with others, too."""
    variant, runtime = middle_shortened(configuration.variant, limit), middle_shortened(configuration.runtime, limit)
    same = [
        row.configuration
        for row in rows
        if (row.configuration.variant, row.configuration.runtime) == (configuration.variant, configuration.runtime)
    ]
    name = f"{variant} on {runtime}"
    if len({each.threads for each in same}) > 1:
        name += f", {counted(configuration.threads, 'thread')}"
    if len({each.batch_size for each in same}) > 1:
        name += f", batch {configuration.batch_size}"
    if configuration.delegate or len({each.delegate for each in same}) > 1:
        name += f", delegate {middle_shortened(shown_delegate(configuration.delegate), limit)}"
    return name


def baseline_name(comparison: Comparison, limit: int = _MAX_NAME) -> str:
    """Return the variant of the baseline, or what else it takes to tell it from the other configurations."""
    base = comparison.baseline
    others = {row.configuration for row in comparison.rows if row.configuration.variant == base.variant}
    return middle_shortened(base.variant, limit) if len(others) == 1 else configuration_name(base, comparison.rows)


def short_name(configuration: Configuration) -> str:
    """Return ``dynamic on litert``, with the delegate if one is set."""
    delegate = f", delegate {middle_shortened(configuration.delegate, _MAX_NAME)}" if configuration.delegate else ""
    return f"{configuration.variant} on {configuration.runtime}{delegate}"


def side_names(comparison: Comparison) -> dict[str, str]:
    """Return a short name for each Run id of a comparison."""
    sides = Sides(comparison.rows)
    return {row.run_id: sides.name(row.run_id) for row in sides.rows}


class Sides:
    """The Runs of a comparison, or the repeats of one: a short distinct name for each, and a legend."""

    def __init__(self, rows: Sequence[Row]) -> None:
        first = {row.run_id: row for row in reversed(rows)}
        self.rows = [first[run_id] for run_id in dict.fromkeys(row.run_id for row in rows)]
        hosts = [row.machine.split(" (")[0] for row in self.rows]
        short = len(set(hosts)) == len(hosts) and all(len(host) <= _MAX_HOST for host in hosts)
        names = [
            host + (_EMULATED if row.emulated else "") if short else _letter(number)
            for number, (host, row) in enumerate(zip(hosts, self.rows, strict=True))
        ]
        self._names = dict(zip((row.run_id for row in self.rows), names, strict=True))
        self.letters = not short

    @property
    def several(self) -> bool:
        """Whether there is more than one side."""
        return len(self.rows) > 1

    def name(self, run_id: str) -> str:
        """Return the short name of a side: its host name, or a letter if host names are long or not distinct."""
        return self._names[run_id]

    def legend(self) -> list[str]:
        """Return what each name stands for: the machine, and of several Runs of one machine what tells them apart."""
        machines = Counter(row.machine for row in self.rows)
        minutes = Counter((row.machine, row.began[:16]) for row in self.rows)
        lines = []
        for row in self.rows:
            parts = [row.machine]
            if machines[row.machine] > 1:
                exact = minutes[row.machine, row.began[:16]] > 1
                parts += [row.began[: 19 if exact else 16].replace("T", " "), f"run {row.run_id[:8]}"]
            if row.runs > 1:
                parts.append(counted(row.runs, "run"))
            lines.append(f"{self.name(row.run_id)} = {', '.join(parts)}")
        return lines


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else str(number)
