"""Names of a model's classes: stated, or listed in its file."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_bench.bench.dataset.label_files import ClassList
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.graphs.graph_model import GraphModel
from edge_bench.bench.io.names import recordable
from edge_bench.bench.records.interpretation import Source

__all__ = ["ClassNames", "class_names", "refuse_other_names"]


@dataclass(frozen=True)
class ClassNames:
    """The lines of a list of classes, one per class in the model's order, and their source."""

    source: str
    lines: tuple[str, ...]
    origin: Source

    @property
    def names(self) -> list[str]:
        """The name of each class; raise DatasetError if the lines contradict each other."""
        if self.origin is Source.STATED:
            return ClassList(self.source, list(self.lines)).names
        return [recordable(line) for line in self.lines]


def class_names(model: GraphModel, options: DataOptions) -> ClassNames | None:
    """Return the names that ``--classes`` or the model's metadata list; None if there are none."""
    if options.classes is not None:
        listed = ClassList.read(options.classes)
        return ClassNames(listed.source, tuple(listed.lines), Source.STATED)
    if model.metadata is not None and model.metadata.labels:
        return ClassNames(model.metadata.label_file, model.metadata.labels, Source.MODEL)
    return None


def refuse_other_names(models: Sequence[GraphModel], options: DataOptions) -> None:
    """Raise BadInput if the files of two models list different classes, or the same in another order.

    A list of true values identifies classes by position, so it fits at most one of the models.
    """
    listed = {model.variant.name: class_names(model, options) for model in models}
    known = {variant: names.names for variant, names in listed.items() if names is not None}
    first = next(iter(known), "")
    for name, own in known.items():
        if own != known[first]:
            raise BadInput(
                f"{first} and {name} list different classes, or the same classes in another order",
                "measure them in separate runs, or use one list for all with --classes",
            )
