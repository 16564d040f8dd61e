"""Tables of a model file: its summary, its operators, and the runtimes that can load it."""

import msgspec

from edge_bench.app.conversion.inspect import ModelInspection
from edge_bench.app.render.table import Table
from edge_bench.app.render.units import size
from edge_bench.bench.model_formats.tflite import Tensor
from edge_bench.bench.models.operator_support import EXPORT_AGAIN
from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["inspect_tables"]


def inspect_tables(inspection: ModelInspection) -> list[Table]:
    """Return three tables; the JSON record of the first contains everything."""
    return [_summary(inspection), _operators(inspection), _runtimes(inspection)]


def _summary(inspection: ModelInspection) -> Table:
    file, cost = inspection.file, inspection.model_cost
    rows = [
        *[(f"input {number}", _tensor(tensor)) for number, tensor in enumerate(file.inputs)],
        *[(f"output {number}", _tensor(tensor)) for number, tensor in enumerate(file.outputs)],
        ("multiply-accumulates", _count(cost.macs)),
        ("parameters", _count(cost.parameters)),
        ("file", size(file.bytes)),
        ("weights and constants", size(cost.constant_bytes)),
        ("largest activations", size(cost.largest_activations)),
        ("tensors", f"{len(file.tensors):,}: {_types(inspection)}"),
        ("minimum runtime, as recorded", file.minimum_runtime or "not recorded"),
    ]
    if file.description:
        rows.append(("description", file.description[:80]))
    notes = ["as it becomes when it is converted to float32 .tflite"] if inspection.converted else []
    if cost.uncounted:
        notes.append(f"not counted: operators in the graphs of conditions and loops ({', '.join(cost.uncounted)})")
    return Table(
        title=f"{inspection.path.name}", header=("", "what its file says"), rows=rows, keys=1, notes=notes,
        records=[_record(inspection)],
    )  # fmt: skip


def _operators(inspection: ModelInspection) -> Table:
    costs = sorted(inspection.model_cost.operators, key=lambda cost: (-cost.macs, -cost.parameters, cost.name))
    return Table(
        title="Operators",
        header=("operator", "version", "count", "multiply-\naccumulates", "parameters", "constants"),
        rows=[
            [
                cost.name,
                str(cost.version),
                str(cost.count),
                _count(cost.macs) if cost.macs else "–",
                _count(cost.parameters) if cost.parameters else "–",
                size(cost.constant_bytes) if cost.constant_bytes else "–",
            ]
            for cost in costs
        ],
        keys=2,
    )


def _runtimes(inspection: ModelInspection) -> Table:
    rows = [
        [runtime, version, "known", "all operators" if not missing else f"no: {'; '.join(map(str, missing))}"]
        for runtime, version, missing in inspection.known
    ]
    rows += [[trial.runtime, trial.version, "tried here", f"no: {trial.refusal}" if trial.refusal else "it loads"]
             for trial in inspection.tried]  # fmt: skip
    unsupported = {operator.operator for _, _, missing in inspection.known for operator in missing}
    oldest = {runtime: version for runtime, version, missing in reversed(inspection.known) if not missing}
    notes = [
        "known: the release itself was asked for each operator and version; tried here: the model was loaded, in a "
        "process of its own"
    ]
    if unsupported:
        notes.append("oldest known release with all operators: " + (", ".join(map(" ".join, oldest.items())) or "none"))
        notes += [f"{name}: {EXPORT_AGAIN[name]}" for name in sorted(unsupported & EXPORT_AGAIN.keys())]
    return Table(
        title="Who can load it", header=("runtime", "release", "how it is known", "can it load the model?"),
        rows=rows, keys=2, notes=notes,
    )  # fmt: skip


def _tensor(tensor: Tensor) -> str:
    spec: TensorSpec = tensor.spec
    shape = "×".join("?" if length < 0 else str(length) for length in (tensor.signature or tensor.shape))
    stored = f"(stored {'-' if spec.zero_point > 0 else '+'} {abs(spec.zero_point)})" if spec.zero_point else "stored"
    quantization = f", real = {stored} × {spec.scale:.6g}" if spec.scale else ""
    return f"{spec.dtype} {shape}{quantization}   {tensor.name}"


def _types(inspection: ModelInspection) -> str:
    types = [tensor.dtype for tensor in inspection.file.tensors]
    return ", ".join(f"{types.count(name)} {name}" for name in sorted(set(types)))


def _count(number: int) -> str:
    for unit, name in ((1e9, " G"), (1e6, " M")):
        if number >= unit:
            return f"{number / unit:.2f}{name} ({number:,})"
    return f"{number:,}"


def _record(inspection: ModelInspection) -> dict[str, object]:
    file = inspection.file
    return {
        "file": inspection.path.name,
        "converted_to_float32": inspection.converted,
        "bytes": file.bytes,
        "minimum_runtime": file.minimum_runtime,
        "inputs": [msgspec.to_builtins(tensor.spec) for tensor in file.inputs],
        "outputs": [msgspec.to_builtins(tensor.spec) for tensor in file.outputs],
        "macs": inspection.model_cost.macs,
        "parameters": inspection.model_cost.parameters,
        "constant_bytes": inspection.model_cost.constant_bytes,
        "operators": [vars(cost) for cost in inspection.model_cost.operators],
        "known": [
            {"runtime": runtime, "release": version, "lacks": [msgspec.to_builtins(operator) for operator in missing]}
            for runtime, version, missing in inspection.known
        ],
        "tried": [vars(trial) for trial in inspection.tried],
    }
