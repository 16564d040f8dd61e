"""Sustained loads in real workers: a delegate that slows down, an interruption, a pass that is too long."""

from pathlib import Path

import pytest

from edge_bench.bench.analysis.energy.joules import energy_of
from edge_bench.bench.analysis.sustained.load import Outcome, loads_of
from edge_bench.bench.measure.energy import start
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.sustained.passes import require_short_pass
from edge_bench.bench.models.delegates import delegates
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Settings, Sustained
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.system.power.find import Search
from edge_bench.bench.system.power.meters import METER, Wattmeter
from edge_bench.bench.worker.process import WorkerFailed
from tests.factories import measure_bundle
from tests.made.brightness import bright_inputs
from tests.made.delegate import FULLY_CONNECTED, built_delegate
from tests.made.tflite_models import brightness_tflite
from tests.measured import arrays, run_files


@pytest.mark.slow
def test_a_delegate_that_slows_down_is_noticed(tmp_path: Path) -> None:
    library = built_delegate(tmp_path)
    model = brightness_tflite(tmp_path / "bright.tflite", range(4))
    data = arrays(tmp_path, bright_inputs(range(4), 8, 8, 3), range(4))
    options = f"operator={FULLY_CONNECTED},lasts_us=500,later_us=2000,after_ms=600"
    selection = Selection(runtimes=["litert"], delegates=delegates([f"{library},{options}"]))
    run = run_files([model], selection, Settings(sustained=Sustained(duration_s=1.2)), **data)
    (load,) = loads_of(run)
    assert load.outcome is Outcome.SLOWER
    assert load.ratio is not None
    assert load.ratio.value > 2
    assert load.changed_after_s
    assert [process.index for process in run.results[0].processes] == [0]
    assert sum(each.trials for each in load.bins) == len(run.results[0].trials)
    assert not any(finding.spoils and "deviation" in finding.what for finding in run.findings)


class Interrupts(Silent):
    """Presses Ctrl-C at a trial."""

    def __init__(self, at: int) -> None:
        self.left, self.messages = at, list[str]()

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.left -= "thread" in note
        if not self.left:
            raise KeyboardInterrupt

    def say(self, message: str) -> None:
        self.messages.append(message)


@pytest.mark.slow
def test_an_interrupted_load_starts_again_and_finished_ones_are_kept(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Wattmeter(METER, "hwmon ina219", lambda: 3.0, 1e-4)
    monkeypatch.setattr(start, "find_meter", lambda file="": Search(meter))
    monkeypatch.setenv("EDGE_BENCH_IDLE_SECONDS", "0.001")
    selection = Selection(variants=["float32", "int8"], runtimes=["litert"])
    settings = Settings(limit=10, sustained=Sustained(duration_s=1.5))

    def measured(progress: Silent, *, resume: bool) -> tuple[Run, Path]:
        return measure_bundle(digits_bundle.folder, selection, settings, tmp_path, progress, resume=resume)

    first, _ = measured(Interrupts(at=4), resume=False)
    (broken,) = first.results_with_trials
    assert not first.complete
    assert [load.outcome for load in loads_of(first)] == [Outcome.UNFINISHED]
    progress = Interrupts(at=10**9)
    whole, path = measured(progress, resume=True)
    assert (whole.run_id, whole.complete) == (first.run_id, True)
    assert read_run(path) == whole
    again, other = sorted(whole.results, key=lambda result: result.configuration != broken.configuration)
    old = {trial.began_ns for trial in broken.trials}
    assert not old & {trial.began_ns for trial in again.trials}
    assert len(again.processes) == len(other.processes) == 1
    assert any("interrupted" in warning for warning in again.warnings)
    assert not any("interrupted" in warning for warning in other.warnings)
    assert all(load.outcome is not Outcome.UNFINISHED for load in loads_of(whole))
    assert any(str(again.configuration) in message for message in progress.messages)
    assert whole.power is not None
    assert whole.power == first.power  # the idle power is measured once
    assert not any("idle power" in message for message in progress.messages)
    for each in whole.results:
        joules, seconds = energy_of(whole, each).joules, sum(trial.elapsed_ns for trial in each.trials) / 1e9
        assert joules is not None
        assert joules.value == pytest.approx(3 * seconds / (10 * sum(trial.passes for trial in each.trials)))
    once, _ = measure_bundle(digits_bundle.folder, selection, settings, tmp_path, Silent(), once=True)
    assert once.run_id == whole.run_id


def test_a_pass_must_be_short() -> None:
    require_short_pass(19, Sustained(duration_s=1800))
    require_short_pass(1e9, None)
    for seconds, duration in ((21, 1800), (2.1, 60)):
        with pytest.raises(WorkerFailed) as refused:
            require_short_pass(seconds, Sustained(duration_s=duration))
        assert "--limit" in refused.value.failure.remedy
