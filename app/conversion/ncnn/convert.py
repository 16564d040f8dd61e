"""Conversion of an .onnx file by pnnx."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge_bench.app.conversion.ncnn.program import Pnnx
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.files import read_bounded
from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.records.ncnn_files import weights_of
from edge_bench.bench.runtimes.ncnn.param import with_input_shape
from edge_bench.bench.sandbox.launch import Access, sandboxed_command
from edge_bench.bench.sandbox.support import sandbox_support
from edge_bench.bench.system.cpu_features import illegal_instruction

__all__ = ["to_ncnn"]

_MODULE = "edge_bench.app.conversion.ncnn.pnnx_process"
_MOST_BYTES = 16 << 20
#: Lines of pnnx about an operator without a counterpart in ncnn.
_UNKNOWN = re.compile(r"^todo (\S{1,80})$", re.MULTILINE)


def to_ncnn(onnx: Path, shape: Sequence[int], pnnx: Pnnx, timeout: float, memory_limit: int | None) -> Path:
    """Convert an .onnx file with float32 weights; return the .param file beside it, with the weights in its .bin.

    ``shape`` is that of one example in the .onnx file, which pnnx does not write into the file. The folder of the .onnx
    file is a temporary one of its own. Raise EdgeBenchError if pnnx cannot convert it.
    """
    printed = _run(onnx, pnnx, timeout, memory_limit)
    written = onnx.with_name(f"{onnx.stem}.ncnn.param")
    if not written.is_file() or not weights_of(written).is_file():
        raise EdgeBenchError(f"pnnx wrote no file: {_last_line(printed)}")
    param = onnx.with_name("ncnn.param")
    text = read_bounded(written, _MOST_BYTES).decode(errors="replace")
    # pnnx copies such an operator to the file, where ncnn cannot load it
    if unknown := sorted(set(_UNKNOWN.findall(printed)) & {line.split(" ", 1)[0] for line in text.splitlines()}):
        raise EdgeBenchError(f"ncnn has no layer for {', '.join(unknown[:5])}")
    try:
        param.write_text(with_input_shape(text, shape))
    except ValueError as cause:
        raise EdgeBenchError(f"ncnn cannot run the model: {cause}") from None
    weights_of(written).replace(weights_of(param))
    return param


def _run(onnx: Path, pnnx: Pnnx, timeout: float, memory_limit: int | None) -> str:
    """Return what pnnx printed; raise EdgeBenchError if it failed."""
    support = sandbox_support()
    access = Access([onnx], onnx.parent, pnnx.path)
    command = sandboxed_command(_MODULE, access, support) if support.parts else module_command(_MODULE)
    # fp16=0: without it, pnnx stores float16 weights
    command += [str(memory_limit or 0), str(pnnx.path), str(onnx), "fp16=0"]
    environment = module_environment() | {"TMPDIR": str(onnx.parent), "OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=timeout, cwd=onnx.parent, env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise EdgeBenchError(f"pnnx did not finish within {timeout:g} s", "use a larger --timeout") from None
    if done.returncode:
        how = f"exit code {done.returncode}" if done.returncode > 0 else f"signal {-done.returncode}"
        raise EdgeBenchError(f"pnnx ended with {how}: {_last_line(done.stdout)}", illegal_instruction(-done.returncode))
    return done.stdout


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no output")[:200]
