"""Log lines of progress, with a clock of the test's own."""

import pytest

from edge_bench.app.fleet.runs.spec import parse_progress
from edge_bench.app.render.progress.lines import Lines
from edge_bench.bench.progress import about, duration_text


class Clock:
    """A clock that advances only on request."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines(clock: Clock) -> Lines:
    return Lines(clock)


def test_the_remaining_time_is_estimated_from_completed_steps(
    lines: Lines, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines.start("training", 10)
    clock.now += 30
    lines.advance(3, "loss 1")
    assert capsys.readouterr().err.splitlines()[-1] == "training: 3/10, about 1 min 10 s left: loss 1"


def test_no_remaining_time_is_shown_while_it_is_unknown(
    lines: Lines, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines.start("measuring", 270)
    lines.expect(None)
    clock.now += 11
    lines.advance(0, "preparing 3 of 9")
    clock.now += 11
    lines.advance(1, "a")
    assert "left" not in capsys.readouterr().err
    lines.expect(240)
    clock.now += 20
    lines.advance(1, "b")
    assert "about 3 min 40 s left: b" in capsys.readouterr().err


def test_a_line_appears_before_the_first_step_if_that_takes_long(
    lines: Lines, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines.start("measuring", 9)
    lines.advance(0, "starting 9 workers")
    clock.now += 10
    lines.advance(0, "preparing 3 of 9")
    printed = capsys.readouterr().err
    assert "measuring: 0/9: preparing 3 of 9\n" in printed
    assert "starting" not in printed


def test_the_end_is_printed_once(lines: Lines, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines.start("measuring", 2, 1)
    clock.now += 90
    lines.advance(1)
    lines.finish()
    printed = capsys.readouterr().err.splitlines()
    assert [line for line in printed if "2/2" in line] == ["measuring: 2/2 in 1 min 30 s"]


def test_a_fleet_reads_the_lines(lines: Lines, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines.start("measuring", 4)
    clock.now += 60
    lines.advance(1, "int8 on litert")
    clock.now += 10
    lines.expect(None)
    lines.advance(1, "int8 on litert")
    lines.finish()
    parsed = [parse_progress(line) for line in capsys.readouterr().err.splitlines()]
    assert parsed == [
        None,
        ("measuring", 1, 4, "about 3 min left: int8 on litert"),
        ("measuring", 2, 4, "int8 on litert"),
        ("measuring", 2, 4, "in 1 min 10 s"),
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"), (45, "45 s"), (59.7, "1 min"), (90, "1 min 30 s"), (120, "2 min"), (3599.8, "1 h"),
        (3660, "1 h 1 min"), (7199, "2 h"), (90_000, "25 h"),
    ],
)  # fmt: skip
def test_durations_are_in_units_that_people_read(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (7.6, "8 s"), (43, "45 s"), (58, "1 min"), (96, "1 min 40 s"), (251, "4 min 10 s"), (1000, "17 min"),
     (5000, "1 h 25 min"), (50_000, "14 h")],
)  # fmt: skip
def test_estimates_are_rounded(seconds: float, text: str) -> None:
    assert about(seconds) == f"about {text}"
