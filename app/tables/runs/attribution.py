"""What the differences in time come from: one row and one sentence an effect."""

from typing import Any

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import significant, with_interval
from edge_bench.bench.analysis.attribution import Effect
from edge_bench.bench.analysis.comparison import Comparison
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["attribution_table", "effect_record"]

_SAID = {
    Verdict.SAME: "no difference of 2 % or more",
    Verdict.UNDECIDED: "undecided, as the interval is neither wholly beyond 2 % nor within it",
}


def attribution_table(comparison: Comparison) -> Table | None:
    """One row an effect, in the order machine, runtime, precision, threads; None where there is none."""
    if not comparison.effects:
        return None
    return Table(
        title="where the time comes from: one factor changed, the rest held",
        header=("factor", "from", "to", "with", "time ×\n[95 %]", "verdict"),
        rows=[_cells(effect) for effect in comparison.effects],
        keys=3,
        notes=[_sentence(effect) for effect in comparison.effects],
        records=[effect_record(effect) for effect in comparison.effects],
    )


def _cells(effect: Effect) -> list[str]:
    before, after = _ends(effect)
    return [
        effect.factor,
        before,
        after,
        _held(effect),
        with_interval(effect.ratio.value, effect.ratio.interval),
        str(effect.verdict),
    ]


def _ends(effect: Effect) -> tuple[str, str]:
    if effect.factor == "machine":
        return effect.reference_machine, effect.machine
    name = "variant" if effect.factor == "precision" else effect.factor
    return str(getattr(effect.reference, name)), str(getattr(effect.configuration, name))


def _held(effect: Effect) -> str:
    configuration: Configuration = effect.configuration
    parts = {
        "precision": configuration.variant,
        "runtime": configuration.runtime,
        "threads": f"{configuration.threads} {'thread' if configuration.threads == 1 else 'threads'}",
        "batch": f"batch {configuration.batch_size}",
        "machine": effect.machine.split(" (")[0],
    }
    return ", ".join(text for name, text in parts.items() if name != effect.factor)


def _sentence(effect: Effect) -> str:
    """Say, `runtime: litert instead of tflite-runtime takes 0.155 × the time [0.14, 0.17]: faster by 84 %`."""
    before, after = _ends(effect)
    ratio = with_interval(effect.ratio.value, effect.ratio.interval)
    share = significant(100 * abs(effect.ratio.value - 1), 2)
    said = _SAID.get(effect.verdict, f"{effect.verdict} by {share} %")
    return f"{effect.factor}: {after} in place of {before} ({_held(effect)}) takes {ratio} × the time: {said}"


def effect_record(effect: Effect) -> dict[str, Any]:
    """The effect's bare numbers."""
    before, after = _ends(effect)
    interval = effect.ratio.interval
    return {
        "factor": effect.factor,
        "from": before,
        "to": after,
        "time_ratio": effect.ratio.value,
        "time_ratio_low": interval.low if interval else None,
        "time_ratio_high": interval.high if interval else None,
        "verdict": str(effect.verdict),
    }
