"""Rows on how ``run`` measures a model, and the table of models whose operators are not read, such as .onnx."""

from edge_bench.app.conversion.inspect import GraphInspection
from edge_bench.app.conversion.measurable import Measurability
from edge_bench.app.render.table import Table
from edge_bench.app.render.units import size
from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["graph_table", "measurability_record", "measurability_rows"]


def measurability_rows(found: Measurability) -> list[tuple[str, str]]:
    """Return whether ``run`` can measure the model, its task, data and required options."""
    if not found.runtimes:
        return [("measured by run", f"no: {found.reason}")]
    rows = [("measured by run", f"yes, on {', '.join(found.runtimes)}")]
    if found.advice is None:
        return rows
    advice = found.advice
    if advice.required:
        needs = "" if all(each.startswith("--image-size") for each in advice.required) else "without --data, "
        rows.append(("required options", f"{needs}{found.option}"))
    reason = f" ({advice.reason})" if advice.reason else ""
    return [
        *rows,
        ("task", f"{advice.task}{reason}; --task changes it"),
        ("--data", advice.data),
        ("true values", advice.labels),
    ]


def measurability_record(found: Measurability) -> dict[str, object]:
    """Return the values of `measurability_rows` as a JSON record."""
    record: dict[str, object] = {"runtimes": list(found.runtimes), "reason": found.reason, "option": found.option}
    if found.advice is not None:
        record |= {"task": found.advice.task, "data": found.advice.data, "labels": found.advice.labels}
    return record


def graph_table(inspection: GraphInspection) -> Table:
    """Return the inputs, outputs and signatures of a model, and how ``run`` measures it."""
    found = inspection.measurability
    advice = found.advice
    sides = [] if advice is None else [("input", advice.inputs), ("output", advice.outputs)]
    rows = [(f"{kind} {number}", _text(spec)) for kind, specs in sides for number, spec in enumerate(specs)]
    if advice is not None and advice.signatures:
        rows.append(("signatures", ", ".join(name[:80] for name in advice.signatures[:20])))
    rows += [*measurability_rows(found), ("file", size(inspection.bytes))]
    record = {
        "file": inspection.path.name,
        "bytes": inspection.bytes,
        **{f"{kind}s": [_spec_record(spec) for spec in specs] for kind, specs in sides},
        "signatures": [] if advice is None else advice.signatures,
        "measured_by_run": measurability_record(found),
    }
    notes = ["operators and multiply-accumulates are read from .tflite files only"]
    return Table(title=inspection.path.name, header=("", "value"), rows=rows, keys=1, notes=notes, records=[record])


def _text(spec: TensorSpec) -> str:
    sizes = "×".join("?" if each < 0 else str(each) for each in spec.shape) or "scalar"
    return f"{spec.dtype} {sizes}   {spec.name}".rstrip()


def _spec_record(spec: TensorSpec) -> dict[str, object]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": spec.shape}
