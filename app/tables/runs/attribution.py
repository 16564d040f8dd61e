"""The table of effects on time: one row and one sentence per changed factor."""

import re
from typing import Any

from edge_bench.app.render.table import Lazy, Table
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.shared import ratio_record, verdict_cell
from edge_bench.bench.analysis.comparison.attribution import Effect
from edge_bench.bench.analysis.comparison.comparison import Comparison
from edge_bench.bench.records.delegate import shown_delegate
from edge_bench.bench.stats.ratios import Verdict
from edge_bench.bench.wording import counted

__all__ = ["attribution_table", "effect_record"]

_MEANING = {
    Verdict.SAME: "no difference of 2 % or more",
    Verdict.UNDECIDED: "undecided, because the interval includes differences below and above 2 %",
}


#: Replaces the verdict if the version of the runtime differs as well.
_NOT_ALONE = "not attributed"


def attribution_table(comparison: Comparison) -> Table | None:
    """Return one row per effect, in the order machine, runtime, precision, threads, delegate; None without effects."""
    if not comparison.effects:
        return None
    more = any(effect.also_different for effect in comparison.effects)
    others = "other differences are listed below" if more else "all others equal"
    return Table(
        title=f"where the time comes from: one factor changed, {others}",
        header=("factor", "from", "to", "verdict", "time ×\n[95 %]", "fixed factors"),
        rows=Lazy(_cells, comparison.effects),
        keys=3,
        notes=Lazy(_sentence, comparison.effects),
        records=Lazy(effect_record, comparison.effects),
    )


def _cells(effect: Effect) -> list[str]:
    before, after = _compared_values(effect)
    ratio = with_interval(effect.ratio.value, effect.ratio.interval)
    return [
        effect.factor,
        before,
        after,
        verdict_cell(effect.verdict, effect.reliable) if effect.verdict else _NOT_ALONE,
        ratio,
        _fixed_factors(effect),
    ]


def _compared_values(effect: Effect) -> tuple[str, str]:
    """Return the reference's and the configuration's value of the factor."""
    if effect.factor == "machine":
        return effect.reference_machine, effect.machine
    name = "variant" if effect.factor == "precision" else effect.factor
    values = [str(getattr(each, name)) for each in (effect.reference, effect.configuration)]
    if effect.factor == "delegate":
        values = list(map(shown_delegate, values))
    return values[0], values[1]


def _fixed_factors(effect: Effect) -> str:
    """Return the values of the other factors, which are equal on both sides."""
    configuration = effect.configuration
    values = {
        "precision": configuration.variant,
        "runtime": configuration.runtime,
        "threads": counted(configuration.threads, "thread"),
        "batch": f"batch {configuration.batch_size}",
        **({"delegate": f"delegate {configuration.delegate}"} if configuration.delegate else {}),
        "machine": re.sub(r" \(.*\)", "", effect.machine, flags=re.DOTALL),  # without its CPU, with its cores
    }
    return ", ".join(text for name, text in values.items() if name != effect.factor)


def _sentence(effect: Effect) -> str:
    """Return ``runtime: litert instead of tflite-runtime (…) takes 0.155 [0.14, 0.17] × the time: faster by 84 %``.

    ``; also different: litert 2.14 → 2.3`` is added if anything else differs.
    """
    before, after = _compared_values(effect)
    ratio = with_interval(effect.ratio.value, effect.ratio.interval)
    share = significant(100 * abs(effect.ratio.value - 1), 2)
    if effect.verdict is None:
        runtime = effect.configuration.runtime
        meaning = f"not attributed to the {effect.factor} alone, because the version of {runtime} differs"
    else:
        meaning = verdict_cell(_MEANING.get(effect.verdict, f"{effect.verdict} by {share} %"), effect.reliable)
    also = f"; also different: {', '.join(effect.also_different)}" if effect.also_different else ""
    fixed = _fixed_factors(effect)
    return f"{effect.factor}: {after} instead of {before} ({fixed}) takes {ratio} × the time: {meaning}{also}"


def effect_record(effect: Effect) -> dict[str, Any]:
    """Return the unformatted values of the effect."""
    before, after = _compared_values(effect)
    values = {"factor": effect.factor, "from": before, "to": after}
    judged = {
        "verdict": str(effect.verdict) if effect.verdict else None,
        "verdict_reliable": effect.reliable,
        "also_different": list(effect.also_different),
    }
    return values | ratio_record(effect.ratio) | judged
