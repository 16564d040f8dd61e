"""The effect of each factor on time as a table: one row and one sentence per effect."""

from typing import Any

from edge_bench.app.render.table import Lazy, Table
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.shared import ratio_record
from edge_bench.bench.analysis.comparison.attribution import Effect
from edge_bench.bench.analysis.comparison.comparison import Comparison
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["attribution_table", "effect_record"]

_MEANING = {
    Verdict.SAME: "no difference of 2 % or more",
    Verdict.UNDECIDED: "undecided, as the interval is neither wholly beyond 2 % nor within it",
}


def attribution_table(comparison: Comparison) -> Table | None:
    """Return one row per effect, in the order machine, runtime, precision, threads; None without effects."""
    if not comparison.effects:
        return None
    return Table(
        title="where the time comes from: one factor changed, the rest held",
        header=("factor", "from", "to", "with", "time ×\n[95 %]", "verdict"),
        rows=Lazy(_cells, comparison.effects),
        keys=3,
        notes=Lazy(_sentence, comparison.effects),
        records=Lazy(effect_record, comparison.effects),
    )


def _cells(effect: Effect) -> list[str]:
    before, after = _compared_values(effect)
    ratio = with_interval(effect.ratio.value, effect.ratio.interval)
    return [effect.factor, before, after, _fixed_factors(effect), ratio, str(effect.verdict)]


def _compared_values(effect: Effect) -> tuple[str, str]:
    """Return the reference's and the configuration's value of the factor."""
    if effect.factor == "machine":
        return effect.reference_machine, effect.machine
    name = "variant" if effect.factor == "precision" else effect.factor
    return str(getattr(effect.reference, name)), str(getattr(effect.configuration, name))


def _fixed_factors(effect: Effect) -> str:
    """Return the values of all other factors, which are the same on both sides."""
    configuration = effect.configuration
    values = {
        "precision": configuration.variant,
        "runtime": configuration.runtime,
        "threads": f"{configuration.threads} {'thread' if configuration.threads == 1 else 'threads'}",
        "batch": f"batch {configuration.batch_size}",
        "machine": effect.machine.split(" (")[0],
    }
    return ", ".join(text for name, text in values.items() if name != effect.factor)


def _sentence(effect: Effect) -> str:
    """Return ``runtime: litert in place of tflite-runtime (…) takes 0.155 [0.14, 0.17] × the time: faster by 84 %``."""
    before, after = _compared_values(effect)
    ratio = with_interval(effect.ratio.value, effect.ratio.interval)
    share = significant(100 * abs(effect.ratio.value - 1), 2)
    meaning = _MEANING.get(effect.verdict, f"{effect.verdict} by {share} %")
    fixed = _fixed_factors(effect)
    return f"{effect.factor}: {after} in place of {before} ({fixed}) takes {ratio} × the time: {meaning}"


def effect_record(effect: Effect) -> dict[str, Any]:
    """Return the unformatted values of the effect."""
    before, after = _compared_values(effect)
    values = {"factor": effect.factor, "from": before, "to": after}
    return values | ratio_record(effect.ratio) | {"verdict": str(effect.verdict)}
