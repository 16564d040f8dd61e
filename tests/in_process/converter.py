"""A converter in the test's process: its answers are those of the converter process, without the sandbox around it."""

import contextlib
import io
from typing import Any

import msgspec

from edge_bench.app.conversion.converter_process import Converter

__all__ = ["ConverterHere"]


class ConverterHere:
    """Takes the place of the `WorkerProcess` of `edge_bench.app.conversion.converter_process`."""

    def __init__(self, module: str, *_: object) -> None:
        assert module == Converter.__module__
        self._converter = Converter(memory_limit=0)

    def __enter__(self) -> "ConverterHere":
        return self

    def __exit__(self, *_: object) -> None:
        self._converter.close()

    def ask(self, request: Any, answer: type[Any], timeout: float) -> msgspec.Struct:
        """Return the answer to a request; it has no deadline. What libraries print is not part of the command's."""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return self._converter.answer(request)
