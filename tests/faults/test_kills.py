"""kill -9 of `run` and `train`, and a resume after each: no trial and no epoch is lost, repeated or damaged.

The ordinary tests kill at fixed points. The nightly ones kill at random moments: EDGE_BENCH_KILLS says how often
(``make faults``: 200 times, half of them during `train`); by default a few times, mostly during `run`, because each
start of TensorFlow takes seconds.
"""

import random
import signal
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from edge_bench.app.training.fit.checkpoints import load_checkpoint, read_state
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.io.files import PART
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.journal.journal import JOURNAL
from edge_bench.bench.records.manifest import History
from edge_bench.bench.records.run import Run, Trial
from edge_bench.bench.records.run_files import read_run
from tests.app.training.weights import SHORT, assert_same_weights
from tests.faults.harness import KILLS, Ended, Station

TRIALS, PROCESSES = 12, 4
OF_TRAIN = KILLS // 2 if KILLS >= 50 else KILLS // 4
TRAIN = ("train", "--dataset", "digits", "--epochs", 3, "--batch-size", 32, "--resume", "--bundle")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "kept", "files"),
    [
        ("after-the-first-trial", 1, set()),
        ("in-a-trial-of-the-second-process", 2, set()),
        ("at-the-rename-of-the-run-file", 4, {f".run-*.json.*{PART}"}),
        ("before-the-journal-is-removed", 4, {"run-*.json"}),
    ],
)
def test_a_run_killed_at_a_fixed_point_is_resumed(
    digits_bundle: Bundle, tmp_path: Path, point: str, kept: int, files: set[str]
) -> None:
    station, results = Station(tmp_path), tmp_path / "results"
    arguments = (
        "run", digits_bundle.folder, "--variant", "dynamic", "--runtime", "litert", "--limit", 20,
        "--trials", 4, "--processes", 2, "--results", "results", "--quiet", "--resume", "--once",
    )  # fmt: skip
    assert station.run_to(point, signal.SIGKILL, *arguments).code == -signal.SIGKILL
    found = {pattern for pattern in ("run-*.json", f".run-*.json.*{PART}") if list(results.glob(pattern))}
    assert found == files
    trials = _valid_trials(results, [])
    assert len(trials) == kept
    assert station.run(*arguments).code == 0
    _assert_complete(station, results, trials, configurations=1, trials=4)


@pytest.mark.slow
def test_a_training_killed_at_fixed_points_is_resumed(digits_bundle: Bundle, tmp_path: Path) -> None:
    """The same training is killed at each point, and resumed."""
    station, folder = Station(tmp_path), tmp_path / "bundle"
    for point, epochs in (("in-the-first-epoch", 0), ("between-two-epochs", 1), ("in-the-export", 3)):
        ended = station.run_to(point, signal.SIGKILL, *TRAIN, folder)
        assert ended.code == -signal.SIGKILL
        assert not (folder / MANIFEST).exists()
        assert _valid_epochs(folder, 0, ended) == epochs
    bundle = train_bundle(folder, SHORT, Silent(), resume=True)
    assert isinstance(bundle, Bundle)
    _assert_same_bundle(bundle, digits_bundle)
    assert not list(folder.rglob(f"*{PART}*"))


@pytest.mark.nightly
def test_a_run_killed_at_random_moments_loses_and_repeats_no_trial(digits_bundle: Bundle, tmp_path: Path) -> None:
    station = Station(tmp_path, {"EDGE_BENCH_TRIAL_SECONDS": "0.2"})  # so that most kills come during trials
    generator, kills, runs = random.Random(7), 0, 0
    while kills < KILLS - OF_TRAIN:
        kills += _one_run(digits_bundle, station, f"results-{runs}", generator, min(KILLS - OF_TRAIN - kills, 12))
        runs += 1
    print(f"{kills} kills of run, over {runs} runs of {2 * TRIALS} trials")


def _one_run(bundle: Bundle, station: Station, name: str, generator: random.Random, most: int) -> int:
    """Kill and resume a run until it is complete; return the number of kills.

    With --once, because a kill may come after the end.
    """
    results, kills, kept, longest = station.home / name, 0, list[Trial](), 6.0
    while True:
        ended = station.run(
            "run", bundle.folder, "--variant", "dynamic,int8", "--runtime", "litert", "--limit", 60,
            "--trials", TRIALS, "--processes", PROCESSES, "--results", name, "--quiet", "--resume", "--once",
            after=generator.uniform(0.1, longest) if kills < most else None, whole_group=generator.random() < 0.5,
        )  # fmt: skip
        if not ended.signalled:
            break
        kills += 1
        before, kept = kept, _valid_trials(results, kept)
        if len(kept) == len(before):
            longest *= 1.2  # a busy machine takes longer to finish a trial
    assert ended.code == 0, ended.errors
    _assert_complete(station, results, kept, configurations=2, trials=TRIALS)
    return kills


def _valid_trials(results: Path, kept: list[Trial]) -> list[Trial]:
    """Return the trials on disk after a kill; assert that they are valid and contain all earlier ones."""
    journals = list(results.glob(f"run-*{JOURNAL}"))
    assert len(journals) <= 1
    whole = list(results.glob("run-*.json"))  # killed after the end
    trials = _trials(read_run_or_journal(journals[0] if journals else whole[0])) if journals or whole else []
    assert all(trial in trials for trial in kept)
    return trials


def _assert_complete(station: Station, results: Path, kept: list[Trial], *, configurations: int, trials: int) -> None:
    """Assert that the only file is a complete Run with all trials once, those kept from killed processes included."""
    (path,) = results.iterdir()
    run = read_run(path)
    made = _trials(run)
    assert run.complete
    assert all(trial in made for trial in kept)
    assert sorted(trial.sequence_number for trial in made) == list(range(trials * configurations))
    assert [len(result.trials) for result in run.results] == [trials] * configurations
    assert station.leftovers() == []


def _trials(run: Run) -> list[Trial]:
    return [trial for result in run.results for trial in result.trials]


#: Files to kill at, besides random moments: each exists for milliseconds, or is written late.
SIGHTS = (
    f"training/.*{PART}*", "training/state.json", f".model.keras*{PART}*", "variants/*.tflite", f"test/.*{PART}*",
    "test/labels.npy", "plots/*", MANIFEST,
)  # fmt: skip


@pytest.mark.nightly
def test_a_training_killed_at_random_moments_ends_in_the_same_bundle(digits_bundle: Bundle, tmp_path: Path) -> None:
    generator, station, kills, trainings = random.Random(8), Station(tmp_path), 0, 0
    at = Counter[str]()
    while kills < OF_TRAIN:
        folder = tmp_path / f"bundle-{trainings}"
        kills += _one_training(digits_bundle, station, folder, generator, min(OF_TRAIN - kills, 6), at)
        trainings += 1
    print(f"{kills} kills of train, over {trainings} trainings; when: {dict(at.most_common())}")


def _one_training(
    whole: Bundle, station: Station, folder: Path, generator: random.Random, most: int, at: Counter[str]
) -> int:
    """Kill and resume a training until it is complete; return the number of kills and count their moments in ``at``."""
    kills, done = 0, 0
    while True:
        sight = generator.choice((None, *SIGHTS))
        moment = generator.uniform(0.1, 14.0) if sight is None else generator.choice((0.0, generator.uniform(0, 0.05)))
        ended = station.run(
            *TRAIN, folder,
            after=moment if kills < most else None,
            when=folder / sight if sight and kills < most else None,
            whole_group=generator.random() < 0.5,
        )  # fmt: skip
        if not ended.signalled:
            assert ended.code == 0, ended.errors
            break
        kills += 1
        at[ended.reached] += 1
        done = _valid_epochs(folder, done, ended)
    _assert_same_bundle(Bundle.open(folder), whole)
    assert station.leftovers() == []
    return kills


def _valid_epochs(folder: Path, done: int, ended: Ended) -> int:
    """Return the epochs on disk after a kill, at least ``done``; assert that bundle or checkpoint are complete."""
    if (folder / MANIFEST).exists():
        bundle = Bundle.open(folder)
        for variant in bundle.variants:
            bundle.checked(variant)
        return 3
    state = read_state(folder)
    if state is None:
        assert done == 0, ended
        return 0
    load_checkpoint(folder, state)
    assert state.epochs_done >= done
    return state.epochs_done


def _assert_same_bundle(bundle: Bundle, whole: Bundle) -> None:
    """Assert that a bundle has the files, weights, losses and test set of one that was trained without a kill."""
    for variant in bundle.variants:
        bundle.checked(variant)
    assert_same_weights(bundle.folder, whole.folder)
    assert bundle.manifest.test_images == whole.manifest.test_images
    assert _losses(bundle.folder) == _losses(whole.folder)
    names, expected = (
        sorted(path.relative_to(each.folder) for path in each.folder.rglob("*")) for each in (bundle, whole)
    )
    assert names == expected


def _losses(folder: Path) -> list[float]:
    return msgspec.json.decode((folder / "history.json").read_bytes(), type=History).loss
