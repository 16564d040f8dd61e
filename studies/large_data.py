"""Time and peak memory of two runs over many image files: the first decodes them, the second reads the cache.

    python -m studies.large_data IMAGES [--count 50000] [--size 224]

IMAGES is a folder with one subfolder per class. Its files are linked repeatedly until there are ``--count`` images.
The model is as small as possible (global average pooling and a dense layer), so that images dominate memory.
50,000 images take about two minutes and 7.5 GB of temporary disk space. Figures: docs/models-and-data.md.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: Runs ``edge-bench``, then prints the peak memory of its process in bytes as the last line.
RUN = """
import sys
from edge_bench.app.cli.entry import main
from edge_bench.bench.worker.limits import peak_memory
try:
    sys.exit(main())
finally:
    print(peak_memory())
"""


def link_images(images: Path, folder: Path, count: int) -> None:
    """Create ``count`` links to the images of a folder, in one subfolder per class."""
    files = sorted(path for path in images.rglob("*") if path.is_file())
    for number in range(count):
        source = files[number % len(files)]
        class_folder = folder / source.parent.name
        class_folder.mkdir(parents=True, exist_ok=True)
        (class_folder / f"{number:06d}{source.suffix}").symlink_to(source.resolve())


def small_model(path: Path, size: int, classes: int) -> None:
    import keras
    import tensorflow as tf
    from keras import layers

    from edge_bench.app.conversion.precisions import convert_to_precision

    model = keras.Sequential([keras.Input((size, size, 3)), layers.GlobalAveragePooling2D(), layers.Dense(classes)])
    path.write_bytes(convert_to_precision(lambda: tf.lite.TFLiteConverter.from_keras_model(model), "float32", None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--size", type=int, default=224)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        link_images(arguments.images, folder / "images", arguments.count)
        classes = sum(1 for _ in (folder / "images").iterdir())
        # In a separate process: a child's peak memory starts with its parent's, which would include TensorFlow's.
        converter = multiprocessing.get_context("spawn").Process(
            target=small_model, args=(folder / "small.tflite", arguments.size, classes)
        )
        converter.start()
        converter.join()
        command = [
            sys.executable, "-c", RUN, "run", str(folder / "small.tflite"), "--data", str(folder / "images"),
            "--runtime", "litert", "--preprocess", "unit", "--trials", "2", "--processes", "1",
            "--results", str(folder / "results"), "--format", "json",
            "--assume",  # the model guesses, so its labels do not show how it wants its pixels
        ]  # fmt: skip
        for ordinal in ("first", "second"):
            began = time.perf_counter()
            environment = os.environ | {"EDGE_BENCH_CACHE": str(folder / "cache")}
            completed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            output, _, parent_bytes = completed.stdout.decode().strip().rpartition("\n")
            (row,), parent_mb = json.loads(output), int(parent_bytes) / 1e6
            print(
                f"{ordinal} run: {time.perf_counter() - began:.0f} s in total, a pass {row['pass_median_s']:.1f} s, "
                f"peak memory: worker {row['memory_peak_bytes'] / 1e6:.0f} MB, its parent {parent_mb:.0f} MB",
                flush=True,
            )
        cached = sum(path.stat().st_size for path in (folder / "cache").rglob("*") if path.is_file())
        print(f"{row['images']:,} images, {cached / 1e9:.2f} GB in the cache")


if __name__ == "__main__":
    main()
