"""kill -9 at random moments over `run` and `train`, and a resume after each: nothing lost, nothing doubled, all valid.

EDGE_BENCH_KILLS says how many (``make faults`` makes 200, half of them of `train`); without it there are a few, mostly
of `run`, because each start of TensorFlow costs seconds.
"""

import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from edge_bench.app.training.fit.checkpoints import load_checkpoint, read_state
from edge_bench.bench.io.files import PART
from edge_bench.bench.measure.run_builder import read_run_or_journal
from edge_bench.bench.records.bundle import MANIFEST, Bundle
from edge_bench.bench.records.journal import JOURNAL
from edge_bench.bench.records.manifest import History
from edge_bench.bench.records.run import Run, Trial
from edge_bench.bench.records.run_files import read_run
from tests.app.training.weights import assert_same_weights
from tests.faults.harness import KILLS, Ended, Station

TRIALS, PROCESSES, CONFIGURATIONS = 12, 4, 2
OF_TRAIN = KILLS // 2 if KILLS >= 50 else KILLS // 4


@pytest.mark.slow
def test_a_run_killed_at_random_moments_loses_and_doubles_nothing(digits_bundle: Bundle, tmp_path: Path) -> None:
    generator, station, kills, runs = random.Random(7), Station(tmp_path), 0, 0
    while kills < KILLS - OF_TRAIN:
        kills += _one_run(digits_bundle, station, f"results-{runs}", generator, min(KILLS - OF_TRAIN - kills, 12))
        runs += 1
    print(f"{kills} kills of run, over {runs} runs of {TRIALS * CONFIGURATIONS} trials")


def _one_run(bundle: Bundle, station: Station, name: str, generator: random.Random, most: int) -> int:
    """One run, killed and gone on with until it is whole; how many kills that took.

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
        before, kept = kept, _still_there(results, kept)
        if len(kept) == len(before):
            longest *= 1.2  # a busy machine takes longer to get as far as a trial
    assert ended.code == 0, ended.errors
    (path,) = results.iterdir()  # and nothing that a kill has left half-made
    run = read_run(path)
    trials = _trials(run)
    assert run.complete
    assert all(trial in trials for trial in kept)
    assert sorted(trial.sequence_number for trial in trials) == list(range(TRIALS * CONFIGURATIONS))
    assert [len(result.trials) for result in run.results] == [TRIALS] * CONFIGURATIONS
    assert station.leftovers() == []
    return kills


def _still_there(results: Path, kept: list[Trial]) -> list[Trial]:
    """After a kill, what is on disk is valid and holds every trial that was there before."""
    journals = list(results.glob(f"run-*{JOURNAL}"))
    assert len(journals) <= 1
    whole = list(results.glob("run-*.json"))  # killed after the end
    trials = _trials(read_run_or_journal(journals[0] if journals else whole[0])) if journals or whole else []
    assert all(trial in trials for trial in kept)
    return trials


def _trials(run: Run) -> list[Trial]:
    return [trial for result in run.results for trial in result.trials]


#: What to be killed at the sight of, besides at any moment: each is there for milliseconds, or comes late.
SIGHTS = (
    f"training/.*{PART}*", "training/state.json", f".model.keras*{PART}*", "variants/*.tflite", f"test/.*{PART}*",
    "test/labels.npy", "plots/*", MANIFEST,
)  # fmt: skip


@pytest.mark.slow
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
    kills, done = 0, 0
    while True:
        sight = generator.choice((None, *SIGHTS))
        moment = generator.uniform(0.1, 14.0) if sight is None else generator.choice((0.0, generator.uniform(0, 0.05)))
        ended = station.run(
            "train", "--bundle", folder, "--dataset", "digits", "--epochs", 3, "--batch-size", 32, "--resume",
            after=moment if kills < most else None,
            when=folder / sight if sight and kills < most else None,
            whole_group=generator.random() < 0.5,
        )  # fmt: skip
        if not ended.signalled:
            assert ended.code == 0, ended.errors
            break
        kills += 1
        at[ended.reached] += 1
        done = _valid(folder, done, ended)
    bundle = Bundle.open(folder)
    for variant in bundle.variants:
        bundle.checked(variant)
    assert_same_weights(folder, whole.folder)
    assert bundle.manifest.test_images == whole.manifest.test_images
    assert _losses(folder) == _losses(whole.folder)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    assert names == sorted(path.relative_to(whole.folder) for path in whole.folder.rglob("*"))
    assert station.leftovers() == []
    return kills


def _valid(folder: Path, done: int, ended: Ended) -> int:
    """After a kill there is a bundle that is whole, or a checkpoint of no fewer epochs than before."""
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


def _losses(folder: Path) -> list[float]:
    return msgspec.json.decode((folder / "history.json").read_bytes(), type=History).loss
