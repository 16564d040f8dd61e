"""The benchmark with real runtimes in real worker processes, and with failing ones."""

import os
import signal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.measure import runner as benchmark
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import Manifest
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.records.run_files import read_run, write_run
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.worker.durations import WARM_UP
from edge_bench.bench.worker.messages import Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess
from tests.factories import measure

pytestmark = pytest.mark.slow

#: The least that is measured.
ONE_TRIAL = Settings(trials=1, processes=1, limit=60)
LITE = [name for name in ("tflite-runtime", "litert") if installed_version(RUNTIMES[name])]


def forge(folder: Path, variant: str, content: bytes) -> Bundle:
    """Replace the file of a variant, and its checksum in the manifest."""
    manifest_path = folder / "manifest.json"
    manifest = msgspec.json.decode(manifest_path.read_bytes(), type=Manifest)
    variants = []
    for entry in manifest.variants:
        if entry.name == variant:
            path = folder / entry.file
            path.write_bytes(content)
            entry = msgspec.structs.replace(entry, bytes=len(content), sha256=sha256_of(path))  # noqa: PLW2901
        variants.append(entry)
    manifest_path.write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, variants=variants)))
    return Bundle.open(folder)


@pytest.fixture(scope="module")
def light_run(digits_bundle: Bundle) -> Run:
    return measure(digits_bundle, Selection(variants=["float32"], runtimes=["tflite-runtime", "litert"]))


def test_every_configuration_has_every_trial_in_fresh_processes(light_run: Run) -> None:
    assert light_run.complete
    assert [result.configuration.runtime for result in light_run.results] == ["tflite-runtime", "litert"]
    for result in light_run.results:
        if result.configuration.runtime not in LITE:
            continue
        assert [trial.process for trial in result.trials] == [0, 0, 1, 1]
        assert [process.index for process in result.processes] == [0, 1]
        for process in result.processes:
            assert process.warm_up_ns >= WARM_UP.nanoseconds()
            assert 0 < process.memory_before_bytes < process.memory_peak_bytes
            assert process.load_ns > 0
            assert process.first_inference_ns > 0


def test_trials_of_different_configurations_are_interleaved(light_run: Run) -> None:
    measured = [result for result in light_run.results if result.trials]
    for round_number in range(4):
        places = [result.trials[round_number].sequence_number for result in measured]
        assert sorted(places) == list(range(round_number * len(measured), (round_number + 1) * len(measured)))
    order = sorted((trial.began_ns, trial.sequence_number) for result in measured for trial in result.trials)
    assert [place for _, place in order] == list(range(len(order)))


def test_a_trial_times_whole_passes_and_every_invocation(light_run: Run) -> None:
    for result in light_run.results:
        for trial in result.trials:
            latencies = unpack(trial.latencies)
            assert len(latencies) == 60
            assert trial.passes >= 1
            assert latencies.sum() <= trial.elapsed_ns
        assert len({trial.passes for trial in result.trials}) <= 1


@pytest.mark.slow  # imports TensorFlow
def test_predictions_and_accuracy_are_those_of_the_keras_model(light_run: Run, digits_bundle: Bundle) -> None:
    images, labels = digits_bundle.test_set()
    assert labels is not None
    drawn = unpack(light_run.images.indices).astype(int)
    assert len(drawn) == 60
    np.testing.assert_array_equal(unpack(light_run.images.labels), labels[drawn])
    result = next(r for r in light_run.results if r.trials)
    import keras

    model = keras.models.load_model(digits_bundle.folder / "model.keras")
    expected = model.predict(images[drawn] / np.float32(255), verbose=0).argmax(axis=1)
    assert np.mean(result.labels() == expected) > 0.98
    assert result.trials[0].correct == np.count_nonzero(result.labels() == labels[drawn])
    assert result.unstable_predictions == 0


def test_keras_runs_as_predict_does_with_batches_of_32(digits_bundle: Bundle) -> None:
    run = measure(digits_bundle, Selection(variants=["keras"]), Settings(trials=2, processes=1, limit=50))
    (result,) = run.results
    assert result.failure is None
    assert result.configuration.batch_size == 32
    assert len(unpack(result.trials[0].latencies)) == 2  # 32 images and 18
    assert len(result.labels()) == 50


@pytest.mark.parametrize("batch_size", [1, 7, 60, 64])
def test_the_batch_size_changes_no_prediction(light_run: Run, digits_bundle: Bundle, batch_size: int) -> None:
    selection = Selection(variants=["float32"], runtimes=["litert"], batch_sizes=[batch_size])
    (result,) = measure(digits_bundle, selection, ONE_TRIAL).results
    assert result.failure is None
    single = next(r for r in light_run.results if r.configuration.runtime == "litert")
    np.testing.assert_array_equal(result.labels(), single.labels())
    assert len(unpack(result.trials[0].latencies)) == -(-60 // batch_size)


def test_a_damaged_variant_fails_and_the_others_still_run(bundle_copy: Path) -> None:
    (bundle_copy / "variants" / "float16.tflite").write_bytes(b"damaged")
    selection = Selection(variants=["float16", "dynamic"], runtimes=["litert"])
    run = measure(Bundle.open(bundle_copy), selection, ONE_TRIAL)
    damaged, whole = run.results
    assert damaged.failure is not None
    assert damaged.failure.kind == "bad file"
    assert "float16.tflite" in damaged.failure.message
    assert len(whole.trials) == 1


@pytest.mark.parametrize("runtime", LITE)
def test_a_model_of_random_bytes_fails_and_the_others_still_run(bundle_copy: Path, runtime: str) -> None:
    bundle = forge(bundle_copy, "float16", np.random.default_rng(0).bytes(5_000))
    run = measure(bundle, Selection(variants=["float16", "dynamic"], runtimes=[runtime]), ONE_TRIAL)
    broken, whole = run.results
    assert broken.failure is not None
    assert broken.failure.kind == "bad file"
    assert broken.failure.message
    assert len(whole.trials) == 1


def test_a_configuration_that_needs_more_memory_than_allowed_fails(digits_bundle: Bundle) -> None:
    selection = Selection(variants=["float32"], runtimes=["litert"])
    tight = measure(digits_bundle, selection, msgspec.structs.replace(ONE_TRIAL, memory_limit=24 << 20))
    assert tight.results[0].failure is not None
    assert not tight.results[0].trials
    roomy = measure(digits_bundle, selection, msgspec.structs.replace(ONE_TRIAL, memory_limit=2 << 30))
    assert roomy.results[0].failure is None


def test_a_worker_that_is_killed_between_trials_keeps_its_trials(
    digits_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Doomed(WorkerProcess):
        def ask(self, request, answer, timeout):  # type: ignore[no-untyped-def]
            if isinstance(request, Time):
                asked.append(request)
                if len(asked) == 3:
                    os.kill(self.pid, signal.SIGKILL)
            return super().ask(request, answer, timeout)

    monkeypatch.setattr(benchmark, "WorkerProcess", Doomed)
    (result,) = measure(digits_bundle, Selection(variants=["dynamic"], runtimes=["litert"])).results
    assert result.failure is not None
    assert "SIGKILL" in result.failure.message
    assert len(result.trials) == 2
    assert len(result.labels()) == 60


def test_a_hanging_worker_is_stopped(digits_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(WorkerProcess):
        def ask(self, request, answer, timeout):  # type: ignore[no-untyped-def]
            if isinstance(request, Time):
                os.kill(self.pid, signal.SIGSTOP)
                timeout = 0.5
            return super().ask(request, answer, timeout)

    monkeypatch.setattr(benchmark, "WorkerProcess", Hanging)
    (result,) = measure(digits_bundle, Selection(variants=["dynamic"], runtimes=["litert"])).results
    assert result.failure is not None
    assert result.failure.kind == "timed out"
    assert "--timeout" in result.failure.remedy


def test_an_interruption_leaves_an_incomplete_run(digits_bundle: Bundle, tmp_path: Path) -> None:
    class Impatient(Silent):
        done = 0

        def advance(self, steps: int = 1, note: str = "") -> None:
            self.done += steps
            if self.done == 3:
                raise KeyboardInterrupt

    run = measure(digits_bundle, Selection(variants=["dynamic"], runtimes=["litert"]), progress=Impatient())
    assert not run.complete
    assert [len(result.trials) for result in run.results] == [3]
    assert read_run(write_run(run, tmp_path)) == run


def test_runs_are_never_overwritten(light_run: Run, tmp_path: Path) -> None:
    path = write_run(light_run, tmp_path)
    before = path.read_bytes()
    with pytest.raises(ResultsError) as caught:
        write_run(light_run, tmp_path)
    assert str(path) in caught.value.problem
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_runtime_that_is_not_installed_fails_with_a_remedy(
    digits_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "edge_bench.bench.measure.plan.installed_version",
        lambda runtime: "1" if runtime.name == "litert" else None,
    )
    assert [row.failure for row in plan(digits_bundle, Selection(variants=["dynamic"]))] == [None]
    rows = plan(digits_bundle, Selection(variants=["dynamic"], runtimes=["tflite-runtime", "litert"]))
    assert [row.failure.kind if row.failure else "" for row in rows] == ["not installed", ""]
    assert rows[0].failure is not None
    assert "litert" in rows[0].failure.remedy


def test_threads_and_batch_sizes_multiply_and_only_tensorflow_runs_keras(digits_bundle: Bundle) -> None:
    rows = plan(digits_bundle, Selection(variants=["keras", "int8"], threads=[1, 2], batch_sizes=[1, 8]))
    shapes = [(r.configuration.variant, r.configuration.runtime) for r in rows]
    assert shapes.count(("keras", "tensorflow")) == 4
    assert shapes.count(("int8", "litert")) == 4
    assert ("keras", "litert") not in shapes
    with pytest.raises(BadInput) as caught:
        plan(digits_bundle, Selection(variants=["keras"], runtimes=["litert"]))
    assert "keras" in caught.value.problem
    assert "litert" in caught.value.problem


def test_garbage_on_the_pipe_ends_a_worker_with_a_failure() -> None:
    worker = WorkerProcess("litert")
    try:
        worker.wait_for(Ready, 60)
        os.write(worker.ends[1], b"\xff\xff\xff\xff garbage")
        with pytest.raises(WorkerFailed) as caught:
            worker.wait_for(Timed, 30)
        assert caught.value.failure.kind == "crashed"
    finally:
        worker.stop()
