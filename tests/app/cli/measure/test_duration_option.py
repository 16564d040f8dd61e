"""The options --duration and --cooldown of `run`."""

from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.options import sustained
from edge_bench.bench.measure.options.sustained import SUSTAINED_LIMIT, with_duration
from edge_bench.bench.measure.run_budget import run_budget
from edge_bench.bench.records.run import Settings, Sustained
from tests.command_line import Refuses


@pytest.mark.parametrize(
    "others",
    [
        ("--trials", 30), ("--processes", 5), ("--budget", "5m"), ("--repeat-runs", 2), ("--find-fastest",),
        ("--resample", 5), ("--cooldown", "hot"), ("--cooldown", "-5C"), ("--cooldown", "50"), ("--cooldown", "500C"),
    ],
    ids=str,
)  # fmt: skip
def test_options_that_do_not_fit_are_refused_before_anything_is_read(
    refuses: Refuses, others: tuple[object, ...]
) -> None:
    refused = refuses("run", "nowhere", "--duration", "30m", *others)
    assert str(others[0]) in refused.problem
    assert refused.remedy


@pytest.mark.parametrize("stated", [("--duration", "9"), ("--duration", "soon"), ("--cooldown", "60C")], ids=str)
def test_a_duration_is_at_least_ten_seconds_and_a_cooldown_needs_one(refuses: Refuses, stated: tuple[str, str]) -> None:
    assert stated[0] in refuses("run", "nowhere", *stated).problem


@pytest.mark.parametrize(
    ("cooldown", "temperature", "pause"),
    [("60C", 60, None), ("55.5 °c", 55.5, None), ("2m", None, 120), (90, None, 90), (None, None, None)],
)
def test_a_cooldown_is_a_temperature_or_a_pause(
    cooldown: str | float | None, temperature: float | None, pause: float | None
) -> None:
    settings = with_duration(Settings(), "30m", cooldown, ())
    assert settings.sustained == Sustained(duration_s=1800, cooldown_c=temperature, cooldown_s=pause)
    assert settings.limit == SUSTAINED_LIMIT
    assert with_duration(Settings(limit=7), 1800, None, ()).limit == 7
    assert with_duration(Settings(), None, None, {"trials"}) == Settings()


def test_emulated_times_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sustained, "emulation_signs", lambda: ["a sign"])
    with pytest.raises(BadInput):
        with_duration(Settings(), "30m", None, ())


def test_the_default_budget_of_an_image_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_DEFAULT_BUDGET", "10m")
    how = {"once": False, "resume": False, "explicit_options": None}
    assert run_budget(None, Settings(), (), Path("results"), **how) is not None  # type: ignore[arg-type]
    load = with_duration(Settings(), "30m", None, ())
    assert run_budget(None, load, (), Path("results"), **how) is None  # type: ignore[arg-type]
