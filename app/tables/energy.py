"""Energy of configurations in tables: cells, fields of records, notes. All of them name the source."""

from collections.abc import Sequence
from typing import Any

from edge_bench.app.render.short_table import Column
from edge_bench.app.render.units import counted, significant, with_interval
from edge_bench.app.tables.shared import UNRELIABLE
from edge_bench.bench.analysis.comparison.comparison import Row
from edge_bench.bench.analysis.energy.joules import NONE, STATED, Energy, Mean, energy_of, source_of
from edge_bench.bench.records.power import StatedPower
from edge_bench.bench.records.run import Configuration, Run

__all__ = [
    "ENERGY_HEADINGS", "comparison_energy_notes", "energy_cells", "energy_column", "energy_fact", "energy_notes",
    "energy_record", "energy_remarks", "has_energy",
]  # fmt: skip

#: Headings of `energy_cells`.
ENERGY_HEADINGS = ("mJ/image\n[95 %]", "mJ/image\nabove idle [95 %]", "energy\nfrom")
#: How tables name a source.
SOURCES = {"meter": "meter", "pmic": "PMIC", "rapl": "RAPL", STATED: "estimate (stated power)", NONE: "none"}


def energy_cells(energy: Energy) -> list[str]:
    """Return the energy in mJ per inference, that above idle, and its source; empty without energy."""
    if energy.source == NONE:
        return ["", "", "none"]
    return [_millijoules(energy.joules, energy), _millijoules(energy.above_idle, energy), _source(energy)]


def energy_record(energy: Energy) -> dict[str, Any]:
    """Return the unformatted values: joules per inference, and watts."""
    record: dict[str, Any] = {"energy_source": energy.source, "energy_meter": energy.meter}
    means = {"joules": energy.joules, "joules_above_idle": energy.above_idle, "idle_w": energy.idle_w}
    for name, mean in means.items():
        interval = mean.interval if mean else None
        record[name] = mean.value if mean else None
        record[f"{name}_low"] = interval.low if interval else None
        record[f"{name}_high"] = interval.high if interval else None
    return record | {
        "power_w": energy.power_w,
        "energy_reliable": energy.reliable,
        "energy_remark": energy.remark,
    }


def energy_column(found: Sequence[Energy | None], unit: str, dropped: int) -> list[Column]:
    """Return the column of a short table, whose heading names the source; none if no row has an energy."""
    energies = [energy for energy in found if energy and energy.joules]
    if not energies:
        return []
    names = ("estimate" if energy.source == STATED else _source(energy) for energy in energies)
    sources = " or ".join(dict.fromkeys(names))
    cells = [_short(energy) for energy in found]
    return [Column(f"mJ/{unit}\n{sources}", cells, dropped=dropped)]


def energy_fact(run: Run) -> str:
    """Return where the energy of a Run is from, and the idle power: ``RAPL: only …; idle 3.10 W [3.05, 3.15]``."""
    source = source_of(run)
    if source.source == NONE:
        return f"none: {source.remark}"
    stated = run.settings.power
    if isinstance(stated, StatedPower):
        origin = f" ({stated.source})" if stated.source != STATED else ""
        return f"estimate from the stated power: {stated.idle_w:g} W idle, {stated.compute_w:g} W computing{origin}"
    if source.idle_w is None or run.power is None:
        return _named(source)
    idle = with_interval(source.idle_w.value, source.idle_w.interval)
    return f"{_named(source)}; idle {idle} W, measured for {run.power.idle_seconds:g} s"


def comparison_energy_notes(rows: Sequence[tuple[str, Row]]) -> list[str]:
    """Return the meter of each side, and that energies of different ones are not comparable; ``rows`` have a letter."""
    meters: dict[str, list[str]] = {}
    for letter, row in rows:
        if row.energy and row.energy.source != NONE:
            letters = meters.setdefault(_named(row.energy), [])
            letters += [letter] if letter and letter not in letters else []
    notes = [f"energy{_of(letters)}: {name}" for name, letters in meters.items()]
    if len(meters) > 1:
        notes.append("energies from different sources include different parts of a machine: do not compare them")
    return notes


def has_energy(rows: Sequence[Row]) -> bool:
    """Return whether a row has a source of energy."""
    return any(row.energy is not None and row.energy.source != NONE for row in rows)


def energy_notes(run: Run) -> list[str]:
    """Return notes on the source and the limits of the energies of a Run, and why some are missing."""
    notes = [f"energy: {energy_fact(run)}"]
    energies = [(str(result.configuration), energy_of(run, result)) for result in run.results_with_trials]
    if any(energy.source == STATED for _, energy in energies):
        notes.append("energy is an estimate: stated power × time. Its error is not known, so it has no interval")
    doubtful = [name for name, energy in energies if energy.reliable is False]
    if doubtful:
        notes.append(
            f"~ energy of {counted(len(doubtful), 'configuration')} is not reliable: the meter counted other programs"
        )
    for reason, configurations in energy_remarks(run).items():
        notes.append(f"- energy of {'; '.join(map(str, configurations))}: {reason}")
    return notes


def energy_remarks(run: Run) -> dict[str, list[Configuration]]:
    """Return why energies are missing, or are not from all trials, with the configurations."""
    reasons: dict[str, list[Configuration]] = {}
    for result in run.results_with_trials:
        energy = energy_of(run, result)
        if energy.remark and energy.source != NONE:
            reasons.setdefault(energy.remark, []).append(result.configuration)
    return reasons


def _millijoules(mean: Mean | None, energy: Energy) -> str:
    if mean is None:
        return ""
    return f"{with_interval(mean.value, mean.interval, scale=1e3)}{UNRELIABLE if energy.reliable is False else ''}"


def _short(energy: Energy | None) -> str:
    if energy is None or energy.joules is None:
        return ""
    return f"{significant(1e3 * energy.joules.value)}{UNRELIABLE if energy.reliable is False else ''}"


def _of(letters: Sequence[str]) -> str:
    return f" of {', '.join(letters)}" if letters else ""


def _source(energy: Energy) -> str:
    return SOURCES.get(energy.source, energy.source)


def _named(energy: Energy) -> str:
    """Return the source with the name of the meter, which may begin with it: ``RAPL: only the processor packages``."""
    source = _source(energy)
    return energy.meter if energy.meter.startswith(source) else f"{source}: {energy.meter}"
