"""Become the program pnnx in the sandbox: ``python -m edge_bench.app.conversion.ncnn.pnnx_process LIMIT PROGRAM …``.

The .onnx file comes from a model that is not trusted. Output of pnnx is the output of this process.
"""

import os
import sys

from edge_bench.bench.worker.limits import limit_memory


def main(arguments: list[str]) -> None:
    """Limit the memory to LIMIT bytes, 0 for no limit, and replace this process by the program."""
    limit, program, *rest = arguments
    limit_memory(int(limit))
    os.execv(program, [program, *rest])  # noqa: S606 - no shell


if __name__ == "__main__":
    main(sys.argv[1:])
