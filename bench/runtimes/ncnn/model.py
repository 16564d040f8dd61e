"""An ncnn model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.ncnn_files import weights_of
from edge_bench.bench.runtimes.ncnn.param import input_shapes

__all__ = ["NcnnModel"]

Array = npt.NDArray[Any]


class NcnnModel:
    """A loaded network. It has no batch axis: each invocation takes one example.

    It computes with float32. By default ncnn computes with float16 on CPUs that support it, so that results would be
    those of another precision than the file's.
    """

    def __init__(self, path: Path, threads: int) -> None:
        """Raise ValueError if ncnn cannot load the files."""
        import ncnn

        self._mat = ncnn.Mat
        self.shapes: Mapping[str, list[int] | None] = input_shapes(path)
        net = self._net = ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_vulkan_compute = False
        for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(net.opt, f"use_{name}", False)
        if net.load_param(str(path)) != 0:
            raise ValueError("ncnn cannot load the .param file: it is damaged, or has a layer that ncnn lacks")
        weights = weights_of(path)
        if net.load_model(str(weights)) != 0:
            raise ValueError(f"ncnn cannot load {weights.name}: it is damaged, or belongs to another .param file")
        self.inputs: list[str] = list(net.input_names())
        self.outputs: list[str] = list(net.output_names())
        if missing := [name for name in self.inputs if name not in self.shapes]:
            raise ValueError(f"input {missing[0][:80]} has no layer Input")

    def invoke(self, inputs: Sequence[Array]) -> list[Array]:
        """Return copies of all outputs of one example; inputs and outputs have a first axis of size 1.

        Raise ValueError if ncnn reports an error.
        """
        with self._net.create_extractor() as extractor:
            for name, value in zip(self.inputs, inputs, strict=True):
                if extractor.input(name, self._mat(np.ascontiguousarray(value[0])).clone()) != 0:
                    raise ValueError(f"ncnn refused input {name[:80]}")
            found = []
            for name in self.outputs:
                code, value = extractor.extract(name)
                if code != 0 or value.empty():
                    raise ValueError(f"ncnn cannot compute output {name[:80]} from inputs of these shapes")
                found.append(np.array(value)[np.newaxis])
            return found
