"""The calibration networks as a bundle, which `run` and a fleet measure like any other."""

import hashlib
import io
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.device_calibration.networks import CLASSES, INPUT_SHAPE, NETWORKS, write_network
from edge_bench.bench.errors import BundleError
from edge_bench.bench.io.disk_space import require_free_space
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.manifest import DatasetInfo, File, Manifest, ModelInfo, Preprocessing, Split, Variant

__all__ = ["PRECISIONS", "open_network_bundle", "write_network_bundle"]

#: Precision → whether the network is quantized.
PRECISIONS = {"float32": False, "int8": True}
_MODEL = "calibration networks"
_IMAGES = 4  # random ones; their values do not matter for the time
_TIMEOUT = 600.0  # seconds
_BYTES = 64 << 20  # of all files


def write_network_bundle(folder: Path) -> Bundle:
    """Write all networks in all precisions, and the images on which they are measured; return the bundle.

    The same version of ai-edge-litert writes the same bytes. Raise MissingDependency if it is not installed.
    """
    (folder / "variants").mkdir(parents=True, exist_ok=True)
    (folder / "test").mkdir(exist_ok=True)
    require_free_space(folder, _BYTES, "the calibration networks need {} there", "set TMPDIR to another folder")
    paths = []
    for network in NETWORKS:
        for precision, quantized in PRECISIONS.items():
            paths.append(folder / f"variants/{network.name}-{precision}.tflite")
            write_network(network, paths[-1], quantized=quantized)
    models = ModelFiles.open(paths, _TIMEOUT)
    images = np.random.default_rng(0).integers(0, 256, (_IMAGES, *INPUT_SHAPE), np.uint8)
    manifest = Manifest(
        created="2026-11-27T00:00:00+00:00",  # always the same, so that an interrupted calibration can be resumed
        dataset=DatasetInfo(
            name="random images",
            sha256=hashlib.sha256(images.tobytes()).hexdigest(),
            classes=[str(number) for number in range(CLASSES)],
            note="RANDOM WEIGHTS AND IMAGES: for speed only",
        ),
        split=Split(train=0, validation=0, test=_IMAGES),
        seed=0,
        model=ModelInfo(name=_MODEL, parameters=models.parameters),
        hyper_parameters={},
        preprocessing=Preprocessing(scale=1 / 127.5, offset=-1.0),
        versions={},
        test_images=_write_array(folder, images),
        variants=[_in_bundle(variant) for variant in models.variants],
    )
    write_atomically(folder / MANIFEST, encode_record(manifest))
    return Bundle.open(folder)


def open_network_bundle(folder: Path) -> Bundle:
    """Return a bundle that `write_network_bundle` wrote; raise BundleError for another one."""
    bundle = Bundle.open(folder)
    expected = {f"{network.name}-{precision}" for network in NETWORKS for precision in PRECISIONS}
    if bundle.manifest.model.name != _MODEL or {variant.name for variant in bundle.variants} != expected:
        raise BundleError(f"{folder}: not a bundle of this version's calibration networks", "omit --bundle")
    return bundle


def _in_bundle(variant: Variant) -> Variant:
    precision = next(each for each in PRECISIONS if variant.name.endswith(each))
    return msgspec.structs.replace(variant, file=f"variants/{variant.file}", precision=precision)


def _write_array(folder: Path, images: npt.NDArray[np.uint8]) -> File:
    buffer = io.BytesIO()
    np.save(buffer, images, allow_pickle=False)
    data = buffer.getvalue()
    write_atomically(folder / "test/images.npy", data)
    return File(file="test/images.npy", bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
