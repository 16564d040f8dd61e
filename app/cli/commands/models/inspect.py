"""The command ``inspect``."""

from edge_bench.app.cli.options.models import ModelFile, ModelMemoryLimit
from edge_bench.app.cli.options.shared import OutputFormat, Timeout
from edge_bench.app.render.formats import Format

__all__ = ["inspect"]


def inspect(
    model: ModelFile,
    timeout: Timeout = 600,
    memory_limit: ModelMemoryLimit = None,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Show the parts of a model, what it costs, and which runtimes can load it."""
    from edge_bench.app.cli import console, parsing
    from edge_bench.app.conversion.inspect import inspect_graph, inspect_model
    from edge_bench.app.tables.models.graph_rows import graph_table
    from edge_bench.app.tables.models.inspect import inspect_tables
    from edge_bench.bench.records.ncnn_files import PARAM

    how = timeout, console.progress(), parsing.memory(memory_limit)
    if model.suffix in (".onnx", PARAM):
        console.print_tables([graph_table(inspect_graph(model, *how))], output_format)
        return
    console.print_tables(inspect_tables(inspect_model(model, *how)), output_format)
