"""The paper's model trained by two workers beside one, the same global batch: seconds and accuracy over several seeds.

    python -m studies.training.distributed_training --seeds 1,2,3 --epochs 2

Both workers run here, on loopback, so this shows that the training is the same and what the exchange costs, not what
two machines would gain. docs/distributed-training.md holds what it printed.
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


def measured(workers: int, seed: int, options: list[str], folder: Path) -> dict[str, float]:
    bundle = folder / f"{workers}-{seed}"
    began = time.perf_counter()
    who = ["--workers", str(workers), "--seed", str(seed), "--bundle", str(bundle)]
    subprocess.run(
        [sys.executable, "-m", "edge_bench", "train", "--quiet", *who, *options], check=True, stdout=sys.stderr
    )
    whole = time.perf_counter() - began
    history = json.loads((bundle / "history.json").read_bytes())
    if history["workers"] != [workers] * len(history["loss"]):
        raise SystemExit(f"{bundle}: trained by {history['workers']} workers")
    return {
        "seconds an epoch": statistics.mean(history["seconds"]),
        "command, seconds": whole,
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
    said = parser.parse_args()
    options = ["--epochs", said.epochs, "--dataset", said.dataset]
    found: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    print(
        "| seed | workers | seconds an epoch | command, seconds | validation, % | test, % |\n| --- "
        + "| --- " * 5
        + "|"
    )
    with tempfile.TemporaryDirectory() as folder:
        for seed in map(int, said.seeds.split(",")):
            for workers, rows in found.items():  # in turn, so that what changes on the machine meets both
                row = measured(workers, seed, options, Path(folder))
                rows.append(row)
                print(
                    f"| {seed} | {workers} | " + " | ".join(f"{value:.2f}" for value in row.values()) + " |", flush=True
                )
    for workers, rows in found.items():
        for name in rows[0]:
            values = [row[name] for row in rows]
            spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
            print(f"{workers} worker(s), {name}: mean {statistics.mean(values):.2f}{spread}")


if __name__ == "__main__":
    main()
