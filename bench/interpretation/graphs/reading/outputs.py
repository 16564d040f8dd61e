"""The output that the user named, or the only one that fits."""

from collections.abc import Callable, Sequence

from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.specs import names_shown
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.wording import counted

__all__ = ["chosen_output", "output_number", "refuse_other_output"]


def output_number(model: GraphModel, stated: str) -> int:
    """Return the number of the output of this name or number, from 0; raise BadInput if there is none."""
    names = [spec.name for spec in model.variant.all_outputs]
    if stated in names:
        return names.index(stated)
    if stated.isascii() and stated.isdigit() and len(stated) < 6 and int(stated) < len(names):
        return int(stated)
    raise BadInput(
        f"--output {stated[:80]}: {model.variant.name} has no output of this name or number",
        f"choose from {names_shown(f'{number} ({name})' for number, name in enumerate(names))}",
    )


def chosen_output(model: GraphModel, stated: str | None, fits: Callable[[TensorSpec], bool]) -> tuple[int, str]:
    """Return the number of the output that has the values, and the reason, which is empty if there is only one.

    Raise BadInput if none is stated and the number of fitting outputs is not one.
    """
    outputs = model.variant.all_outputs
    if stated is not None:
        return output_number(model, stated), "stated"
    if len(outputs) == 1:
        return 0, ""
    fitting = [number for number, spec in enumerate(outputs) if fits(spec)]
    if len(fitting) == 1:
        return fitting[0], "the only output of a fitting shape"
    shown = names_shown(f"{number} ({spec.name} {list(spec.shape)})" for number, spec in enumerate(outputs))
    raise BadInput(
        f"{model.variant.name}: unclear which of its {counted(len(outputs), 'output')} has the values: {shown}",
        "choose one by name or number with --output",
    )


def refuse_other_output(models: Sequence[GraphModel], stated: str | None) -> None:
    """Raise BadInput if a stated number selects outputs with different names, though all models share one of the names.

    Converters change the order of outputs, but keep their names.
    """
    if stated is None:
        return
    names = [[spec.name for spec in model.variant.all_outputs] for model in models]
    chosen = [each[output_number(model, stated)] for model, each in zip(models, names, strict=True)]
    common = [name for name in dict.fromkeys(chosen) if all(name in each for each in names)]
    if len(set(chosen)) > 1 and common:
        raise BadInput(
            f"--output {stated[:80]} selects a different output in each model: {names_shown(dict.fromkeys(chosen))}",
            f"use its name, such as --output {common[0][:80]}",
        )
