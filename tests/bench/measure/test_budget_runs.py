"""Runs with a budget, of real small models: what is chosen, and how --once, --resume and --repeat-runs find it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.measure.duration.calibration import measure_cost
from edge_bench.bench.measure.duration.cost import ConfigurationCost, RunCost
from edge_bench.bench.measure.duration.fitting import Budget
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.measure.stored.earlier_choice import EarlierChoice
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from tests.made.graph.graph_bundles import mixed_bundle

pytestmark = pytest.mark.slow

LITE = Selection(variants=["dynamic", "int8"], runtimes=["litert"])
#: Enough for real workers that wait for other programs; trials and processes are stated, so that a run is short.
AMPLE = Budget(600.0, frozenset({"trials", "processes"}))
QUICK = Settings(trials=2, processes=1)


class Says(Silent):
    """Keeps messages, and ends the run at a step of a task if told to."""

    def __init__(self, interrupted: str = "") -> None:
        self.messages: list[str] = []
        self.tasks: list[str] = []
        self._interrupted = interrupted

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.tasks.append(what)

    def advance(self, steps: int = 1, note: str = "") -> None:
        if steps and self.tasks[-1] == self._interrupted:
            raise KeyboardInterrupt

    def say(self, message: str) -> None:
        self.messages.append(message)

    def about(self, text: str) -> list[str]:
        return [message for message in self.messages if message.startswith(text)]


def test_an_ample_budget_measures_all_images_and_says_so_and_how_long_it_takes(
    digits_bundle: Bundle, tmp_path: Path
) -> None:
    progress = Says()
    request = BenchmarkRequest.from_bundle(digits_bundle.folder, LITE, QUICK, progress, AMPLE)
    assert request.settings == msgspec.structs.replace(QUICK, budget_s=600.0)
    assert len(progress.about("--budget 10 min: all 300 images, 2 trials in 1 process")) == 1
    run, _ = measure(request, tmp_path, progress)
    assert run.complete
    assert run.settings.budget_s == 600.0
    assert len(progress.about("about ")) == 1
    assert progress.about("about ")[0].endswith("2 configurations × 2 trials")


def test_a_budget_that_nothing_fits_in_is_refused_before_the_first_trial(digits_bundle: Bundle) -> None:
    with pytest.raises(BadInput, match="at least"):
        BenchmarkRequest.from_bundle(digits_bundle.folder, LITE, Settings(), Silent(), Budget(0.001))


def test_all_configurations_get_the_same_chosen_images(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The speed is that of a slow device, so that the choice does not depend on this one."""
    slow = "edge_bench.bench.measure.duration.fitting.measure_cost"
    monkeypatch.setattr(slow, lambda *_: RunCost([ConfigurationCost(0.1)] * 2, start_seconds=1.0))
    progress, budget = Says(), Budget(60.0, frozenset({"trials", "processes"}))
    request = BenchmarkRequest.from_bundle(digits_bundle.folder, LITE, QUICK, progress, budget)
    assert request.settings.limit is not None
    assert 100 <= request.settings.limit < 300
    assert "points" in progress.about("--budget 1 min")[0]
    run, _ = measure(request, tmp_path, progress)
    assert run.images.indices.length == run.settings.limit
    limited = BenchmarkRequest.from_bundle(
        digits_bundle.folder, LITE, msgspec.structs.replace(QUICK, limit=run.settings.limit), Silent()
    )
    assert unpack(run.images.indices).tolist() == limited.workload.indices.tolist()
    labels = digits_bundle.test_set()[1]
    assert labels is not None
    drawn = np.bincount(np.array(labels)[unpack(run.images.indices)], minlength=10)
    assert drawn.max() - drawn.min() <= 1 or run.settings.limit > 200


def test_resume_continues_with_the_same_choice(digits_bundle: Bundle, tmp_path: Path) -> None:
    def budget(seconds: float, *, resume: bool) -> Budget:
        kept = frozenset({"trials", "processes", "limit"})
        return Budget(seconds, kept, earlier=EarlierChoice(tmp_path, kept, None, once=False, resume=resume))

    def request(seconds: float, progress: Says, *, resume: bool) -> BenchmarkRequest:
        settings = Settings(trials=3, processes=1, limit=40)
        chosen = budget(seconds, resume=resume)
        return BenchmarkRequest.from_bundle(digits_bundle.folder, LITE, settings, progress, chosen)

    first = Says("measuring")
    begun, _ = measure(request(600, first, resume=False), tmp_path, first)
    assert not begun.complete
    again = Says()
    run, _ = measure(request(600, again, resume=True), tmp_path, again, resume=True)
    assert run.complete
    assert run.run_id == begun.run_id
    assert again.tasks == ["measuring"]  # the speed is not measured again
    other = Says()
    request(500, other, resume=True)
    assert other.tasks != []  # another budget is another run


def test_once_finds_the_run_of_the_same_budget(digits_bundle: Bundle, tmp_path: Path) -> None:
    kept = frozenset({"trials", "processes"})

    def budget(seconds: float) -> Budget:
        earlier = EarlierChoice(tmp_path, kept, None, once=True, resume=False)
        return Budget(seconds, kept, earlier=earlier)

    made = []
    for seconds, measured in ((600.0, True), (600.0, False), (700.0, True)):
        progress = Says()
        request = BenchmarkRequest.from_bundle(digits_bundle.folder, LITE, QUICK, progress, budget(seconds))
        made.append(measure(request, tmp_path, progress, once=True)[0].run_id)
        assert (progress.tasks != []) == measured
    assert made[0] == made[1] != made[2]


def test_model_files_are_measured_on_the_chosen_images(
    digits_bundle: Bundle, digit_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cost = RunCost([ConfigurationCost(0.2)], start_seconds=1.0)
    monkeypatch.setattr("edge_bench.bench.measure.duration.fitting.measure_cost", lambda *_: cost)
    file = digits_bundle.folder / "variants" / "dynamic.tflite"
    options = DataOptions(data=digit_images, preprocess="unit")
    progress = Says()
    selection = Selection(runtimes=["litert"])
    request = BenchmarkRequest.from_files([file], options, selection, QUICK, progress, Budget(80.0, AMPLE.stated))
    assert len(request.workload.indices) == request.settings.limit
    assert request.workload.total_images == 300
    assert len(progress.messages) == len(set(progress.messages))  # nothing is said twice


def test_random_inputs_have_a_budget_too(digits_bundle: Bundle) -> None:
    file = digits_bundle.folder / "variants" / "dynamic.tflite"
    request = BenchmarkRequest.from_files([file], DataOptions(), Selection(runtimes=["litert"]), QUICK, Silent(), AMPLE)
    assert len(request.workload.indices) == 100


def test_a_model_with_any_inputs_and_outputs_has_a_budget_that_counts_the_recorded_outputs(tmp_path: Path) -> None:
    bundle = mixed_bundle(tmp_path / "bundle", examples=12)
    progress = Says()
    request = BenchmarkRequest.from_bundle(bundle.folder, Selection(), QUICK, progress, AMPLE)
    assert request.settings.limit is None
    run, _ = measure(request, tmp_path / "results", progress)
    assert [result.failure for result in run.results_with_trials] == [None] * len(run.results_with_trials)
    assert run.results_with_trials
    assert all(result.outputs is not None for result in run.results_with_trials)


def test_a_model_that_cannot_be_loaded_limits_nothing(bundle_copy: Path, tmp_path: Path) -> None:
    bundle = Bundle.open(bundle_copy)
    planned = plan(bundle, LITE)
    broken = msgspec.structs.replace(planned[0], file=tmp_path / "missing.tflite")
    cost = measure_cost(bundle_workload(bundle, 20), [broken, planned[1]], QUICK, Silent())
    assert len(cost.configurations) == 1
    assert cost.configurations[0].image_seconds > 0
    assert cost.start_seconds > 0
