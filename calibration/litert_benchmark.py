"""Side by side with LiteRT's own benchmark: the same .tflite file, threads and machine, in turn.

    python -m calibration.litert_benchmark MODEL.tflite... [--repeats 7] [--threads 1]

`litert-benchmark` comes with ai-edge-litert and prints hundredths of a millisecond, so models of about 1 ms or more are
compared; the aim is medians within 3 %.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from tabulate import tabulate

from bench.benchmark import run_benchmark
from bench.bundle import Bundle, DatasetInfo, File, Manifest, ModelInfo, Preprocessing, Split, TensorSpec, Variant
from bench.files import sha256_of
from bench.plan import Selection, plan
from bench.progress import Silent
from bench.results import Run, Settings
from bench.runtimes import loader, runtime_named

IMAGES = 200
SEED = 42


def bundle_around(model: Path, folder: Path) -> Bundle:
    """A bundle of this one model with random images of its shape: for its speed alone."""
    session = loader(runtime_named("litert"))(model, 1, 1)
    generator = np.random.default_rng(SEED)
    folder.mkdir(parents=True)
    classes = int(session.output.shape[-1])
    shutil.copy(model, folder / "model.tflite")
    np.save(folder / "images.npy", generator.integers(0, 256, (IMAGES, *session.input.shape[1:]), dtype=np.uint8))
    np.save(folder / "labels.npy", generator.integers(0, classes, IMAGES, dtype=np.uint8))
    (folder / "history.json").write_text("{}")

    def entry(name: str) -> File:
        path = folder / name
        return File(file=name, bytes=path.stat().st_size, sha256=sha256_of(path))

    model_file = entry("model.tflite")
    manifest = Manifest(
        created="1970-01-01T00:00:00+00:00",
        dataset=DatasetInfo(name="random", sha256="", classes=[str(number) for number in range(classes)]),
        split=Split(train=0, validation=0, test=IMAGES),
        seed=SEED,
        model=ModelInfo(name=model.stem, parameters=0),
        hyper_parameters={},
        preprocessing=Preprocessing(scale=1.0, offset=0.0),
        versions={},
        test_images=entry("images.npy"),
        test_labels=entry("labels.npy"),
        history=entry("history.json"),
        variants=[_variant(model_file, session.input, session.output)],
    )
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return Bundle.open(folder)


def _variant(file: File, inputs: TensorSpec, outputs: TensorSpec) -> Variant:
    return Variant(
        name="float32", file=file.file, precision=inputs.dtype, bytes=file.bytes, sha256=file.sha256, input=inputs,
        output=outputs,
    )  # fmt: skip


def ours(bundle: Bundle, threads: int) -> Run:
    """Six trials in one process, every invocation timed."""
    selection = Selection(runtimes=["litert"], threads=[threads])
    return run_benchmark(bundle, plan(bundle, selection), Settings(trials=6, processes=1), Silent())


def theirs(model: Path, threads: int, runs: int) -> float:
    """Median milliseconds as litert-benchmark states them, in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".json") as answer:
        command = [
            sys.executable, "-m", "ai_edge_litert.tools.benchmark_litert_model", f"--model={model}",
            f"--num_threads={threads}", f"--num_runs={runs}", "--warmup_runs=200", f"--result_json={answer.name}",
        ]  # fmt: skip
        subprocess.run(command, capture_output=True, check=True)
        return float(json.loads(Path(answer.name).read_text())["latency"]["median_ms"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    rows = []
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            bundle = bundle_around(model, Path(folder) / "bundle")
            pairs = []
            for _ in range(arguments.repeats):
                latencies = ours(bundle, arguments.threads).results[0].latencies_ms_an_image()
                pairs.append((float(np.median(latencies)), theirs(model, arguments.threads, len(latencies))))
        first, second = np.array(pairs).T
        ratios = first / second
        rows.append((model.name, f"{np.median(first):.4f}", f"{np.median(second):.2f}", f"{np.median(ratios):.3f}",
                     f"{ratios.min():.3f} to {ratios.max():.3f}"))  # fmt: skip
    header = ("model", "edge-bench, ms", "litert-benchmark, ms", "median ratio", "from, to")
    print(f"{arguments.repeats} pairs, medians, {arguments.threads} thread(s)\n")
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
