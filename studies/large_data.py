"""Many images in constant memory: decoding, a first and a second run over 50,000 of them.

    python -m studies.large_data IMAGES [--count 50000] [--size 224]

IMAGES is a folder with a folder a class; its files are linked until there are enough. The model is as small as can be
(an average of every channel and a dense layer), so that the data is what weighs.
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

#: What ``edge-bench`` does, and at its end the process's own peak memory in bytes.
RUN = """
import sys
from edge_bench.app.cli.entry import main
from edge_bench.bench.worker.limits import peak_memory
try:
    sys.exit(main())
finally:
    print(peak_memory())
"""


def linked(images: Path, folder: Path, count: int) -> None:
    """``count`` links to the images of a folder, class by class."""
    files = sorted(path for path in images.rglob("*") if path.is_file())
    for number in range(count):
        source = files[number % len(files)]
        place = folder / source.parent.name
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06d}{source.suffix}").symlink_to(source.resolve())


def small_model(path: Path, size: int, classes: int) -> None:
    import keras
    import tensorflow as tf
    from keras import layers

    from edge_bench.app.conversion.precisions import converted

    model = keras.Sequential([keras.Input((size, size, 3)), layers.GlobalAveragePooling2D(), layers.Dense(classes)])
    path.write_bytes(converted(lambda: tf.lite.TFLiteConverter.from_keras_model(model), "float32", None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--size", type=int, default=224)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        linked(arguments.images, folder / "images", arguments.count)
        classes = sum(1 for _ in (folder / "images").iterdir())
        # in a process of its own: a child's peak memory would otherwise begin with TensorFlow's, from before its exec
        maker = multiprocessing.get_context("spawn").Process(
            target=small_model, args=(folder / "small.tflite", arguments.size, classes)
        )
        maker.start()
        maker.join()
        command = [
            sys.executable, "-c", RUN, "run", str(folder / "small.tflite"), "--data", str(folder / "images"),
            "--runtime", "litert", "--preprocess", "unit", "--trials", "2", "--processes", "1",
            "--results", str(folder / "results"), "--format", "json",
        ]  # fmt: skip
        for which in ("first", "second"):
            began = time.perf_counter()
            environment = os.environ | {"EDGE_BENCH_CACHE": str(folder / "cache")}
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            answer, _, last = done.stdout.decode().strip().rpartition("\n")
            (row,), parent = json.loads(answer), int(last) / 1e6
            print(
                f"{which} run: {time.perf_counter() - began:.0f} s in all, a pass {row['pass_median_s']:.1f} s, "
                f"peak memory: worker {row['memory_peak_bytes'] / 1e6:.0f} MB, its parent {parent:.0f} MB",
                flush=True,
            )
        cached = sum(path.stat().st_size for path in (folder / "cache").rglob("*") if path.is_file())
        print(f"{row['images']:,} images, {cached / 1e9:.2f} GB in the cache")


if __name__ == "__main__":
    main()
