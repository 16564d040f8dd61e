"""Tables of a model file: its summary, its operators, and the runtimes that can load it."""

import msgspec

from edge_bench.app.conversion.inspect import KnownSupport, LoadAttempt, ModelInspection
from edge_bench.app.render.table import Table
from edge_bench.app.render.units import size
from edge_bench.app.tables.models.graph_rows import measurability_record, measurability_rows
from edge_bench.app.tables.models.tensor_text import open_axes, shape_of, tensor_text
from edge_bench.bench.model_formats.tflite import Tensor
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata
from edge_bench.bench.model_formats.tflite_operators import custom_code, is_flex
from edge_bench.bench.models.operator_support import EXPORT_AGAIN, edge_tpu_refusal
from edge_bench.bench.wording import counted

__all__ = ["inspect_tables"]


def inspect_tables(inspection: ModelInspection) -> list[Table]:
    """Return the tables; the JSON record of the first contains everything."""
    signatures = [_signatures(inspection)] if inspection.file.signatures else []
    return [_summary(inspection), *signatures, _operators(inspection), _runtimes(inspection)]


def _summary(inspection: ModelInspection) -> Table:
    file, cost = inspection.file, inspection.model_cost
    in_main = "at least " if _has_other_graphs(inspection) else ""
    rows = [
        *[(f"input {number}", _named(tensor)) for number, tensor in enumerate(file.inputs)],
        *[(f"output {number}", _named(tensor)) for number, tensor in enumerate(file.outputs)],
        *measurability_rows(inspection.measurability),
        ("multiply-accumulates", f"{_at_least(inspection)}{_count(cost.macs)}"),
        ("parameters", f"{in_main}{_count(cost.parameters)}"),
        ("file", size(file.bytes)),
        ("weights and constants", f"{in_main}{size(cost.constant_bytes)}"),
        ("largest activations", size(cost.largest_activations)),
        ("tensors", f"{len(file.tensors):,}: {_types(inspection)}"),
        ("minimum runtime, as recorded", file.minimum_runtime or "not recorded"),
    ]
    if len(file.graphs) > 1:
        names = [graph.name or f"graph {number}" for number, graph in enumerate(file.graphs[:10])]
        rows.append(("graphs", f"{len(file.graphs)}: {', '.join(names)}{', …' if len(file.graphs) > 10 else ''}"))
    rows += _metadata_rows(inspection.metadata, inspection.metadata_problem)
    if file.description:
        rows.append(("description", file.description[:80]))
    notes = ["values of the model converted to float32 .tflite"] if inspection.converted else []
    if cost.uncounted:
        uncounted = _first_names([_operator(name) for name in cost.uncounted], 20)
        notes.append(f"multiply-accumulates not counted for {uncounted}")
    if cost.uncounted_elsewhere:
        elsewhere = _first_names([_operator(name) for name in cost.uncounted_elsewhere], 20)
        notes.append(f"multiply-accumulates outside the main graph not counted for {elsewhere}")
    if _has_open_sizes(inspection):
        notes.append("multiply-accumulates and activations are for open axes of size 1")
    return Table(
        title=f"{inspection.path.name}", header=("", "value"), rows=rows, keys=1, notes=notes,
        records=[_record(inspection)],
    )  # fmt: skip


def _at_least(inspection: ModelInspection) -> str:
    return "" if inspection.model_cost.is_complete and not _has_open_sizes(inspection) else "at least "


def _has_other_graphs(inspection: ModelInspection) -> bool:
    """Return whether graphs besides the main one have operators, whose constants are not counted."""
    return any(graph.nodes for graph in inspection.file.graphs[1:])


def _has_open_sizes(inspection: ModelInspection) -> bool:
    """Return whether an input has open axes other than the batch: the cost depends on their sizes."""
    return any(set(open_axes(shape_of(tensor))) - {"batch"} for tensor in inspection.file.inputs)


def _metadata_rows(metadata: ModelMetadata | None, problem: str) -> list[tuple[str, str]]:
    if problem:
        return [("TFLite metadata", f"cannot be read: {problem}")]
    if metadata is None:
        return []
    rows = []
    if metadata.normalization:
        mean, std = (
            ", ".join(f"{each:.6g}" for each in values)
            for values in (metadata.normalization.mean, metadata.normalization.std)
        )
        rows.append(("normalization, by metadata", f"(pixel - {mean}) / {std}"))
    if metadata.color_space:
        rows.append(("color space, by metadata", metadata.color_space))
    if metadata.label_file:
        lines = "not in the file" if metadata.labels is None else counted(len(metadata.labels), "line")
        rows.append(("labels, by metadata", f"{metadata.label_file[:80]}: {lines}"))
    return rows or [("TFLite metadata", "no normalization and no labels")]


def _signatures(inspection: ModelInspection) -> Table:
    graphs = inspection.file.graphs
    rows = [
        [signature.key, graphs[signature.graph].name or f"graph {signature.graph}", kind, name, tensor_text(tensor)]
        for signature in inspection.file.signatures
        for kind, tensors in (("input", signature.inputs), ("output", signature.outputs))
        for name, tensor in tensors
    ]
    return Table(
        title="Signatures", header=("signature", "graph", "", "name", "tensor"), rows=rows, keys=4,
        notes=["a signature is a named function of the file, with its own names for inputs and outputs"],
    )  # fmt: skip


def _operators(inspection: ModelInspection) -> Table:
    costs = sorted(inspection.model_cost.operators, key=lambda cost: (-cost.macs, -cost.parameters, cost.name))
    return Table(
        title="Operators, with their versions",
        header=("operator", "count", "multiply-\naccumulates", "parameters", "constants"),
        rows=[
            [
                f"{_operator(cost.name)} v{cost.version}",
                str(cost.count),
                (_rounded(cost.macs) if cost.macs else "–") if cost.counted else "not counted",
                _rounded(cost.parameters) if cost.parameters else "–",
                size(cost.constant_bytes) if cost.constant_bytes else "–",
            ]
            for cost in costs
        ],
        keys=1,
    )


def _runtimes(inspection: ModelInspection) -> Table:
    rows = [[each.runtime, each.release, "known", _known_cell(each)] for each in inspection.known]
    rows += [[trial.runtime, trial.version, "tried here", _tried_cell(trial)] for trial in inspection.tried]
    return Table(
        title="Runtimes", header=("runtime", "release", "source", "loads the model"),
        rows=rows, keys=2, notes=_runtime_notes(inspection),
    )  # fmt: skip


def _known_cell(support: KnownSupport) -> str:
    if support.missing:
        flex = [custom_code(each.operator) or "" for each in support.missing if is_flex(each.operator)]
        reasons = [str(each) for each in support.missing if not is_flex(each.operator)]
        reasons += [f"no Flex delegate, required by {_first_names(flex)}"] if flex else []
        return f"no: {_first_names(reasons, 5, '; ')}"
    if support.unknown:
        return f"unknown: not tested with {_first_names([_operator(name) for name in support.unknown])}"
    return "yes: has all operators"


def _first_names(names: list[str], most: int = 3, separator: str = ", ") -> str:
    """Return the first names and the number of the others. The JSON record has all."""
    return separator.join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _tried_cell(trial: LoadAttempt) -> str:
    if trial.refusal and trial.sizes:
        return f"unknown: fails with open axes of size {', '.join(map(str, trial.sizes))}: {trial.refusal}"
    if trial.refusal:
        return f"no: {trial.refusal}"
    loads = f"yes, with open axes of size {trial.sizes[0]}" if trial.sizes else "yes"
    return f"{loads}, but an invocation with zeros fails: {trial.invocation}" if trial.invocation else loads


def _runtime_notes(inspection: ModelInspection) -> list[str]:
    notes = [
        "known: every operator version was tested with this release. tried here: the model was loaded in a separate "
        "process and invoked once with zeros"
    ]
    missing = {operator.operator for each in inspection.known for operator in each.missing}
    if missing:
        capable = [each for each in reversed(inspection.known) if not each.missing and not each.unknown]
        oldest = {each.runtime: each.release for each in capable}
        notes.append("oldest known release with all operators: " + (", ".join(map(" ".join, oldest.items())) or "none"))
        notes += [f"{name}: {EXPORT_AGAIN[name]}" for name in sorted(missing & EXPORT_AGAIN.keys())]
    if any(is_flex(operator.name) for operator in inspection.file.operators):
        notes.append(
            "Flex operators (Select TF ops) are TensorFlow's own: use a runtime with the Flex delegate, or convert the "
            "model without them"
        )
    if (refusal := edge_tpu_refusal(inspection.file.operators)) is not None:
        notes.append(f"{refusal.problem}: to measure it, {refusal.remedy}")
    return notes


def _operator(name: str) -> str:
    """Return the display name of an operator."""
    custom = custom_code(name)
    if custom is None:
        return name
    return f"{custom} ({'Select TF ops' if is_flex(name) else 'custom'})" if custom else "unnamed custom operator"


def _named(tensor: Tensor) -> str:
    return f"{tensor_text(tensor)}   {tensor.name}"


def _types(inspection: ModelInspection) -> str:
    types = [tensor.dtype for tensor in inspection.file.tensors]
    return ", ".join(f"{types.count(name)} {name}" for name in sorted(set(types)))


def _count(number: int) -> str:
    """Return ``1.23 M (1,234,567)``."""
    return f"{rounded} ({number:,})" if (rounded := _rounded(number)) != f"{number:,}" else rounded


def _rounded(number: int) -> str:
    for unit, name in ((1e9, " G"), (1e6, " M")):
        if number >= unit:
            return f"{number / unit:.2f}{name}"
    return f"{number:,}"


def _record(inspection: ModelInspection) -> dict[str, object]:
    file = inspection.file
    return {
        "file": inspection.path.name,
        "converted_to_float32": inspection.converted,
        "bytes": file.bytes,
        "minimum_runtime": file.minimum_runtime,
        "inputs": [_tensor_record(tensor.name, tensor) for tensor in file.inputs],
        "outputs": [_tensor_record(tensor.name, tensor) for tensor in file.outputs],
        "signatures": [
            {
                "key": signature.key,
                "graph": signature.graph,
                "inputs": [_tensor_record(*each) for each in signature.inputs],
                "outputs": [_tensor_record(*each) for each in signature.outputs],
            }
            for signature in file.signatures
        ],
        "graphs": [vars(graph) for graph in file.graphs],
        "metadata": _metadata_record(inspection),
        "measured_by_run": measurability_record(inspection.measurability),
        "macs": inspection.model_cost.macs,
        "macs_not_counted": inspection.model_cost.uncounted,
        "macs_not_counted_in_other_graphs": inspection.model_cost.uncounted_elsewhere,
        "macs_at_least": bool(_at_least(inspection)),
        "parameters": inspection.model_cost.parameters,
        "parameters_at_least": _has_other_graphs(inspection),
        "constant_bytes": inspection.model_cost.constant_bytes,
        "operators": [vars(cost) for cost in inspection.model_cost.operators],
        "known": [
            {
                "runtime": each.runtime,
                "release": each.release,
                "lacks": [msgspec.to_builtins(operator) for operator in each.missing],
                "unknown": each.unknown,
            }
            for each in inspection.known
        ],
        "tried": [vars(trial) for trial in inspection.tried],
    }


def _tensor_record(name: str, tensor: Tensor) -> dict[str, object]:
    shape = shape_of(tensor)
    return {
        "name": name,
        "dtype": tensor.dtype,
        "shape": shape,
        "open_axes": open_axes(shape),
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }


def _metadata_record(inspection: ModelInspection) -> dict[str, object] | None:
    metadata = inspection.metadata
    if metadata is None:
        return {"problem": inspection.metadata_problem} if inspection.metadata_problem else None
    return {
        "normalization": vars(metadata.normalization) if metadata.normalization else None,
        "color_space": metadata.color_space,
        "label_file": metadata.label_file,
        "labels": None if metadata.labels is None else len(metadata.labels),
    }
