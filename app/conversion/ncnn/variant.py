"""The variant ``ncnn`` of a bundle: converted, compared with Keras, and written."""

import importlib.metadata
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.ncnn.check import compare_scores, ncnn_scores
from edge_bench.app.conversion.ncnn.convert import to_ncnn
from edge_bench.app.conversion.ncnn.program import Pnnx, pnnx_program, require_libraries
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import replacing
from edge_bench.bench.models.model_identity import size_and_sha256
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec, Variant
from edge_bench.bench.records.ncnn_files import weights_of
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.wording import counted

__all__ = ["FORMATS", "NCNN", "NcnnConversion"]

NCNN = "ncnn"
#: Values of ``--to``.
FORMATS = (NCNN,)
PRECISION = "float32 weights and arithmetic, converted by pnnx"
#: Images for the comparison with Keras.
_COMPARED = 100


class _Source(Protocol):
    """A loaded Keras classifier."""

    def write_onnx(self, file: Path, examples: npt.NDArray[np.float32]) -> tuple[list[int], npt.NDArray[np.float32]]:
        """Write it to an .onnx file; return the shape of one example, and its scores of examples."""


@dataclass(frozen=True)
class NcnnConversion:
    """The programs of a conversion and the limits of its processes."""

    pnnx: Pnnx
    timeout: float  # seconds per step
    memory_limit: int | None = None  # bytes; None: the memory that this machine can spare

    @classmethod
    def prepared(
        cls, formats: Sequence[str], progress: Progress, timeout: float, memory_limit: int | None = None
    ) -> "NcnnConversion | None":
        """Return the conversion if ``formats`` has ncnn, otherwise None. Download pnnx if it is missing.

        Raise BadInput for an unknown format, MissingDependency if a program is missing.
        """
        if unknown := [each for each in formats if each not in FORMATS]:
            raise BadInput(f"--to {unknown[0][:40]}: unknown format", f"use {', '.join(FORMATS)}")
        if not formats:
            return None
        require_libraries()
        return cls(pnnx_program(progress), timeout, memory_limit)

    def write(
        self,
        source: _Source,
        original: Variant,
        folder: Path,
        images: npt.NDArray[Any],
        preprocessing: Preprocessing,
        progress: Progress,
    ) -> Variant:
        """Convert a Keras classifier into ``variants/`` of a bundle's folder; return the variant.

        ``original`` is the model's variant in the bundle, ``images`` are stored test images [n, …]. Raise
        EdgeBenchError if the model cannot be converted, or if its scores differ from those of Keras.
        """
        images = np.asarray(images[:_COMPARED])
        limit = untimed_memory_limit(self.memory_limit)
        with tempfile.TemporaryDirectory() as temporary:
            onnx = Path(temporary, "model.onnx")
            shape, expected = source.write_onnx(onnx, model_inputs(images, preprocessing, original.input))
            param = to_ncnn(onnx, shape, self.pnnx, self.timeout, limit)
            found = ncnn_scores(param, images, preprocessing, self.timeout, limit)
            agreement = compare_scores(found.values, expected)
            progress.say(
                f"ncnn: the label of Keras for {agreement.labels} of {counted(len(expected), 'test image')}, scores "
                f"differ by up to {agreement.difference:.2g}"
            )
            path = folder / "variants" / f"{NCNN}.param"
            for written, target in ((weights_of(param), weights_of(path)), (param, path)):
                with replacing(target) as part:
                    shutil.copyfile(written, part)
        size, digest = size_and_sha256(path)
        return Variant(
            name=NCNN,
            file=path.relative_to(folder).as_posix(),
            precision=PRECISION,
            bytes=size,
            sha256=digest,
            input=found.input,
            output=TensorSpec(dtype="float32", shape=[1, found.values.shape[1]]),
            fixed_batch=1,
        )

    def versions(self) -> dict[str, str]:
        """Return the versions of the programs, for the manifest."""
        return {
            "pnnx": self.pnnx.version,
            "ncnn": installed_version(RUNTIMES[NCNN]) or "",
            "tf2onnx": importlib.metadata.version("tf2onnx"),
        }
