"""Number of predictions that differ between the inference server and a local run, for all variants and test images.

    python -m studies.serving.serve_predictions BUNDLE

Each variant is run once locally (`edge-bench run --trials 1 --processes 1`) and then served. NVIDIA's tritonclient
sends the whole test set, 100 images per request, as pixels and again as PNG files.
Takes a few minutes for the paper's model and Fashion-MNIST. Figures: docs/serve.md.
"""

import argparse
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from studies.serving.serve_load import Server

IMAGES_PER_REQUEST = 100


def run_labels(bundle: Path, variant: str, runtime: str) -> npt.NDArray[np.int64]:
    """Return the labels that `edge-bench run` predicts, shape [images]."""
    selection, settings = Selection(variants=[variant], runtimes=[runtime]), Settings(trials=1, processes=1)
    with tempfile.TemporaryDirectory() as results:
        run, _ = measure(BenchmarkRequest.from_bundle(bundle, selection, settings, Silent()), Path(results), Silent())
    return run.results[0].labels()


def served_labels(server: Server, images: npt.NDArray[Any], datatype: str) -> npt.NDArray[np.int64]:
    """Return the labels that tritonclient receives, shape [images]; ``datatype`` is UINT8 (pixels) or BYTES (files)."""
    import tritonclient.http as triton

    client, labels = triton.InferenceServerClient(f"{server.host}:{server.port}"), list[npt.NDArray[np.int64]]()
    for start in range(0, len(images), IMAGES_PER_REQUEST):
        batch = images[start : start + IMAGES_PER_REQUEST]
        tensor = triton.InferInput("images", list(batch.shape), datatype)
        tensor.set_data_from_numpy(batch)
        labels.append(client.infer(server.name, [tensor]).as_numpy("labels"))
    client.close()
    return np.concatenate(labels)


def png(image: npt.NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, "PNG")
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    bundle = Bundle.open(parser.parse_args().bundle)
    images = np.array(bundle.test_set()[0])
    files = np.array([png(image) for image in images], object)
    print("| variant | runtime | images | other labels, pixels | other labels, PNG |\n|---|---|---|---|---|")
    for variant in bundle.variants:
        runtime = "tensorflow" if variant.name == "keras" else "litert"
        local = run_labels(bundle.folder, variant.name, runtime)
        with Server(bundle.folder, "--variant", variant.name, "--runtime", runtime) as server:
            pixels, png_files = (
                int((served_labels(server, *sent) != local).sum()) for sent in ((images, "UINT8"), (files, "BYTES"))
            )
        print(f"| {variant.name} | {runtime} | {len(local):,} | {pixels} | {png_files} |", flush=True)


if __name__ == "__main__":
    main()
