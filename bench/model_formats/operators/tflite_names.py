"""Names of the tensors of a .tflite file's main graph."""

from pathlib import Path

from edge_bench.bench.io.files import mapped
from edge_bench.bench.model_formats.reading_budget import ReadingBudget
from edge_bench.bench.model_formats.tflite import MAX_FILE_BYTES

__all__ = ["tensor_names"]


def tensor_names(path: Path) -> list[str]:
    """Return the names in the order of the tensors. Raise OSError or ValueError if the file is not valid."""
    from ai_edge_litert import schema_py_generated as schema

    with mapped(path, MAX_FILE_BYTES) as content:
        budget = ReadingBudget(len(content))
        try:
            graph = schema.Model.GetRootAs(content, 0).Subgraphs(0)
            return [budget.text(tensor.Name()) for tensor in budget.take(graph.TensorsLength(), graph.Tensors)]
        except Exception as cause:  # a damaged offset can raise any error in the generated reader
            raise ValueError(f"its tensors are inconsistent ({type(cause).__name__})") from None
