"""Training time and accuracy of the paper's model with one worker and with two, for several seeds.

    python -m studies.training.distributed_training --seeds 1,2,3 --epochs 2

The global batch size is the same. Both workers run on this machine and communicate over loopback. The study shows that
the training is equivalent, and the cost of exchanging gradients, but not how much faster two machines would be.
The command above takes about four minutes on two cores. Figures: docs/distributed-training.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def train(workers: int, seed: int, options: list[str], folder: Path) -> dict[str, float]:
    bundle = folder / f"{workers}-{seed}"
    began = time.perf_counter()
    run = ["--workers", str(workers), "--seed", str(seed), "--bundle", str(bundle)]
    subprocess.run(
        [sys.executable, "-m", "edge_bench", "train", "--quiet", *run, *options], check=True, stdout=sys.stderr
    )
    elapsed = time.perf_counter() - began
    history = json.loads((bundle / "history.json").read_bytes())
    if history["workers"] != [workers] * len(history["loss"]):
        raise SystemExit(f"{bundle}: trained by {history['workers']} workers")
    return {
        "seconds an epoch": statistics.mean(history["seconds"]),
        "command, seconds": elapsed,
        "validation": 100 * history["val_accuracy"][-1],
        "test": 100 * test_accuracy(bundle),
    }


def test_accuracy(bundle: Path) -> float:
    import keras

    model = keras.models.load_model(bundle / "model.keras")
    images, labels = (np.load(bundle / "test" / f"{name}.npy") for name in ("images", "labels"))
    scores = model.predict(images * np.float32(1 / 255), batch_size=500, verbose=0)
    return float(np.mean(np.argmax(scores, axis=1) == labels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--epochs", default="2")
    parser.add_argument("--dataset", default="fashion-mnist")
    arguments = parser.parse_args()
    options = ["--epochs", arguments.epochs, "--dataset", arguments.dataset]
    by_workers: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    print("| seed | workers | seconds an epoch | command, seconds | validation, % | test, % |")
    print("| --- " * 6 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for seed in map(int, arguments.seeds.split(",")):
            for workers, rows in by_workers.items():  # alternate, so that drift of the machine affects both equally
                row = train(workers, seed, options, Path(folder))
                rows.append(row)
                print(f"| {seed} | {workers} |", *(f"{value:.2f} |" for value in row.values()), flush=True)
    for workers, rows in by_workers.items():
        for name in rows[0]:
            values = [row[name] for row in rows]
            spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
            print(f"{workers} worker(s), {name}: mean {statistics.mean(values):.2f}{spread}")


if __name__ == "__main__":
    main()
