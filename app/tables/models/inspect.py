"""A model taken apart, as tables: the whole, its operators, and who can load it."""

import msgspec

from edge_bench.app.conversion.inspect import ModelInspection
from edge_bench.app.render.table import Table
from edge_bench.app.render.units import size
from edge_bench.bench.formats.tflite import Tensor
from edge_bench.bench.models.operator_support import EXPORT_AGAIN
from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["inspect_tables"]


def inspect_tables(found: ModelInspection) -> list[Table]:
    """Three tables; the JSON record of the first holds all."""
    return [_whole(found), _operators(found), _runtimes(found)]


def _whole(found: ModelInspection) -> Table:
    file, cost = found.file, found.model_cost
    rows = [
        *[(f"input {number}", _tensor(tensor)) for number, tensor in enumerate(file.inputs)],
        *[(f"output {number}", _tensor(tensor)) for number, tensor in enumerate(file.outputs)],
        ("multiply-accumulates", _count(cost.macs)),
        ("parameters", _count(cost.parameters)),
        ("file", size(file.bytes)),
        ("weights and constants", size(cost.constant_bytes)),
        ("largest activations", size(cost.largest_activations)),
        ("tensors", f"{len(file.tensors):,}: {_types(found)}"),
        ("minimum runtime, as recorded", file.minimum_runtime or "not recorded"),
    ]
    if file.description:
        rows.append(("description", file.description[:80]))
    notes = ["as it becomes when it is converted to float32 .tflite"] if found.converted else []
    if cost.uncounted:
        notes.append(f"not counted: operators in the graphs of conditions and loops ({', '.join(cost.uncounted)})")
    return Table(
        title=f"{found.path.name}", header=("", "what its file says"), rows=rows, keys=1, notes=notes,
        records=[_record(found)],
    )  # fmt: skip


def _operators(found: ModelInspection) -> Table:
    costs = sorted(found.model_cost.operators, key=lambda cost: (-cost.macs, -cost.parameters, cost.name))
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


def _runtimes(found: ModelInspection) -> Table:
    rows = [
        [runtime, version, "known", "all operators" if not lacking else f"no: {'; '.join(map(str, lacking))}"]
        for runtime, version, lacking in found.known
    ]
    rows += [[each.runtime, each.version, "tried here", f"no: {each.refusal}" if each.refusal else "it loads"]
             for each in found.tried]  # fmt: skip
    missing = {each.operator for _, _, lacking in found.known for each in lacking}
    able = {(runtime, version) for runtime, version, lacking in found.known if not lacking}
    first = {runtime: version for runtime, version, _ in reversed(found.known) if (runtime, version) in able}
    notes = [
        "known: the release itself was asked for each operator and version; tried here: the model was loaded, in a "
        "process of its own"
    ]
    if missing:
        notes.append("oldest known release with all operators: " + (", ".join(map(" ".join, first.items())) or "none"))
        notes += [f"{name}: {EXPORT_AGAIN[name]}" for name in sorted(missing & EXPORT_AGAIN.keys())]
    return Table(
        title="Who can load it", header=("runtime", "release", "how it is known", "can it load the model?"),
        rows=rows, keys=2, notes=notes,
    )  # fmt: skip


def _tensor(tensor: Tensor) -> str:
    spec: TensorSpec = tensor.spec
    sizes = "×".join("?" if size < 0 else str(size) for size in (tensor.signature or tensor.shape))
    shift = f"(stored {'-' if spec.zero_point > 0 else '+'} {abs(spec.zero_point)})" if spec.zero_point else "stored"
    quantization = f", real = {shift} × {spec.scale:.6g}" if spec.scale else ""
    return f"{spec.dtype} {sizes}{quantization}   {tensor.name}"


def _types(found: ModelInspection) -> str:
    kinds = [tensor.dtype for tensor in found.file.tensors]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))


def _count(number: int) -> str:
    for unit, name in ((1e9, " G"), (1e6, " M")):
        if number >= unit:
            return f"{number / unit:.2f}{name} ({number:,})"
    return f"{number:,}"


def _record(found: ModelInspection) -> dict[str, object]:
    file = found.file
    return {
        "file": found.path.name,
        "converted_to_float32": found.converted,
        "bytes": file.bytes,
        "minimum_runtime": file.minimum_runtime,
        "inputs": [msgspec.to_builtins(tensor.spec) for tensor in file.inputs],
        "outputs": [msgspec.to_builtins(tensor.spec) for tensor in file.outputs],
        "macs": found.model_cost.macs,
        "parameters": found.model_cost.parameters,
        "constant_bytes": found.model_cost.constant_bytes,
        "operators": [vars(cost) for cost in found.model_cost.operators],
        "known": [
            {"runtime": runtime, "release": version, "lacks": [msgspec.to_builtins(each) for each in lacking]}
            for runtime, version, lacking in found.known
        ],
        "tried": [vars(each) for each in found.tried],
    }
