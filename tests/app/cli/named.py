"""Values that an error must name, whatever the wording of its message."""

import re

from edge_bench.bench.errors import EdgeBenchError

__all__ = ["assert_names"]


def assert_names(error: EdgeBenchError, *values: str) -> None:
    """Assert that an error's problem or remedy names these values as whole words."""
    text = f"{error.problem} {error.remedy}"
    for value in values:
        assert re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text), f"{value} is not in: {text}"
