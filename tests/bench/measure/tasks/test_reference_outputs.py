"""Pose, audio, text and recurrent models by others: known outputs, and agreement of two runtimes.

The expected values are from a plain loop around the interpreters.
"""

import csv
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_bench.bench.analysis.quality.scored import agreement_of_outputs
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import Run
from edge_bench.bench.tasks.measures import TaskAgreement
from edge_bench.bench.tasks.tensors.agreement import OutputAgreement, output_agreements
from edge_bench.bench.tasks.tensors.differences import real_values
from tests.measured import run_files
from tests.models import coco_images, model_file

pytestmark = pytest.mark.slow

RUNTIMES = ["litert", "tflite-runtime"]
#: Scores of [negative, positive], and the words' numbers; <START> is 1, <PAD> 0.
REVIEWS = [
    ([1, 14, 20, 16, 6, 87, 65, 19, 55, 52, 156, 5, 13, 447, 12], [0.242609, 0.757391]),
    ([1, 6, 394, 22, 357, 913, 917, 5, 230, 99, 196, 13, 1800, 12], [0.35168, 0.64832]),
]


def measured(name: str, data: Path, **options: Any) -> Run:
    run = run_files([model_file(f"{name}.tflite")], Selection(runtimes=RUNTIMES), data=data, task="tensor", **options)
    assert [each.failure for each in run.results] == [None, None]
    return run


def outputs(run: Run, runtime: str) -> npt.NDArray[Any]:
    """The values of the only output, one row per example, in real units."""
    (record,) = recorded(run, runtime).outputs
    assert record.stored == record.examples
    return real_values(unpack_values(record.values), record.spec).reshape(record.examples, -1)


def recorded(run: Run, runtime: str) -> TensorOutputs:
    (result,) = [each for each in run.results if each.configuration.runtime == runtime]
    assert isinstance(result.outputs, TensorOutputs)
    return result.outputs


def agreed(run: Run) -> tuple[TaskAgreement, OutputAgreement]:
    """The agreement of both runtimes, and the differences of the only output."""
    agreement = agreement_of_outputs(run, run.results[0], run, run.results[1])
    assert agreement is not None
    first, second = (recorded(run, runtime).outputs for runtime in RUNTIMES)
    (output,) = output_agreements(first, second).outputs
    return agreement, output


def test_the_text_model_is_bit_identical_on_both_runtimes(tmp_path: Path) -> None:
    ids = np.zeros((3, 256), np.int32)
    for row, (words, _) in zip(ids, REVIEWS, strict=False):
        row[: len(words)] = words
    ids[2] = np.random.default_rng(0).integers(0, 10_000, 256)
    np.savez(tmp_path / "ids.npz", input_3=ids)
    run = measured("movie_review", tmp_path / "ids.npz")
    agreement, output = agreed(run)
    assert (agreement.share, agreement.identical, output.difference.max_abs) == (1, 3, 0)
    for runtime in RUNTIMES:
        scores = outputs(run, runtime)
        np.testing.assert_allclose(scores[:2], [scores for _, scores in REVIEWS], atol=1e-5)


def test_the_recurrent_model_keeps_no_state_and_is_bit_identical_on_both_runtimes(tmp_path: Path) -> None:
    nine = np.asarray(Image.open(model_file("extras/mnist_nine.bmp")).convert("L"))
    digits = [nine, nine // 2, nine // 2, np.full_like(nine, 255), nine // 2, np.zeros_like(nine)]
    np.save(tmp_path / "digits.npy", np.stack(digits))
    run = measured("keras_lstm_mnist_ptq", tmp_path / "digits.npy")
    agreement, output = agreed(run)
    assert (agreement.share, agreement.identical, output.difference.max_abs) == (1, 6, 0)
    (record,) = recorded(run, "litert").outputs
    steps = unpack_values(record.values).reshape(6, 10)
    assert (steps[0].argmax(), steps[0].max()) == (9, 255)
    for row in (1, 2, 4):  # whatever comes before
        assert steps[row].tolist() == [0, 0, 0, 1, 1, 1, 0, 2, 0, 251]
    (scores,) = outputs(run, "litert")[:1]
    assert scores[9] == pytest.approx(1, abs=0.01)


def test_the_audio_model_recognizes_a_tone_noise_and_speech(tmp_path: Path) -> None:
    count = 15_600
    with wave.open(str(model_file("extras/speech.wav"))) as file:
        assert file.getframerate() == 16_000
        speech = np.frombuffer(file.readframes(count), "<i2") / 32768
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(count) / 16_000)
    noise = np.random.default_rng(0).normal(0, 0.1, count)
    np.save(tmp_path / "sounds.npy", np.stack([tone, noise, speech]).astype(np.float32))
    run = measured("yamnet_audio_classifier_with_metadata", tmp_path / "sounds.npy")
    agreement, output = agreed(run)
    assert (agreement.examples, agreement.identical) == (3, 2)
    assert output.difference.max_abs == pytest.approx(0.0391, abs=1e-4)
    assert output.difference.rms == pytest.approx(0.00103, abs=1e-5)
    assert output.difference.cosine == pytest.approx(0.999737, abs=1e-5)
    assert outputs(run, "litert").max(axis=1) == pytest.approx([0.9961, 0.7383, 0.9180], abs=1e-4)
    assert (outputs(run, "litert").argmax(axis=1) == outputs(run, "tflite-runtime").argmax(axis=1)).all()


def test_the_pose_model_finds_the_keypoints_of_a_plain_loop(tmp_path: Path) -> None:
    photographs = [model_file("extras/squat.bmp"), *sorted(coco_images().glob("*.jpg"))[:16]]
    (tmp_path / "photographs").mkdir()
    for number, path in enumerate(photographs):
        (tmp_path / "photographs" / f"{number:02}{path.suffix}").symlink_to(path)
    run = measured("movenet_single_pose_lightning_ptq", tmp_path / "photographs", channel_order="rgb")
    (record,) = recorded(run, "litert").outputs
    assert (record.examples, record.shapes) == (17, [[1, 17, 3]])
    _, output = agreed(run)
    assert output.identical == 0
    keypoints = {runtime: outputs(run, runtime).reshape(17, 17, 3) for runtime in RUNTIMES}
    scores = np.abs(keypoints["litert"][..., 2] - keypoints["tflite-runtime"][..., 2]).max()
    assert scores == pytest.approx(0.503913, abs=1e-5)
    assert output.difference.max_abs is not None
    assert output.difference.max_abs >= scores
    expected = by_coral(model_file("extras/movenet_single_pose_lightning_ptq_reference.csv"))
    for runtime, farthest, mean in (("litert", 0.02975, 0.61646), ("tflite-runtime", 0.04614, 0.60633)):
        squat = keypoints[runtime][0]
        assert np.abs(squat[:, :2] - expected[:, :2]).max() == pytest.approx(farthest, abs=1e-4)
        assert squat[:, 2].mean() == pytest.approx(mean, abs=1e-4)


def by_coral(path: Path) -> npt.NDArray[np.float64]:
    """Return y, x and score of each keypoint, [17, 3]."""
    with path.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["keypoint_id"]))
    return np.array([[float(row[f"keypoint_{name}"]) for name in ("y", "x", "score")] for row in rows])
