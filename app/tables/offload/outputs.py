"""The outputs of a model with any inputs and outputs, on the server and locally."""

from typing import Any

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import counted
from edge_bench.bench.offload.records.offload import Offload, OutputDifference

__all__ = ["outputs_table"]


def outputs_table(offload: Offload) -> Table:
    """Return a row per output; without a comparison, no rows."""
    comparison = offload.comparison
    outputs = [] if comparison is None else comparison.outputs
    notes = ["differences between the server's values and the local ones, in real units, over all these examples"]
    if comparison is not None and not comparison.by_name:
        notes.append("the server's outputs have other names, so outputs are paired by their order")
    examples = 0 if comparison is None else comparison.examples
    return Table(
        title=f"Outputs of the server and local outputs, {counted(examples, 'example')}",
        header=["output", "identical\nexamples", "max |Δ|", "RMS of Δ", "SNR\ndB", "values finite on\none side only",
                "other\nshapes"],
        rows=[_row(output) for output in outputs],
        keys=1,
        notes=notes,
        records=[_record(output) for output in outputs],
    )  # fmt: skip


def _row(output: OutputDifference) -> list[str]:
    difference = output.difference
    return [
        output.name,
        "other type" if output.identical is None else f"{output.identical:,}",
        *("" if value is None else f"{value:.3g}" for value in (difference.max_abs, difference.rms)),
        "" if difference.snr_db is None else f"{difference.snr_db:.1f}",
        f"{difference.mismatched:,}",
        f"{output.other_shapes:,}",
    ]


def _record(output: OutputDifference) -> dict[str, Any]:
    return {
        "output": output.name,
        "identical": output.identical,
        "other_shapes": output.other_shapes,
        **msgspec.to_builtins(output.difference),
    }
