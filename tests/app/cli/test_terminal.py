"""Width and colours of what commands print, in a terminal, in a pipe and as variables say."""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_bench.app.cli import console
from edge_bench.app.render.formats import Format
from edge_bench.app.render.progress.lines import Lines
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.terminal import coloured, columns, message_lines, shows_colours
from edge_bench.bench.errors import BadInput
from tests.app.cli.terminal import shown_in_terminal
from tests.command_line import call_here

LONG_PATH = "/nowhere/" + "a-long-folder/" * 12 + "run.json"
RED, GREEN, YELLOW, BOLD = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m"


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 100, 140])
def test_errors_in_a_terminal_are_wrapped_and_paths_stay_whole(width: int, tmp_path: Path) -> None:
    shown = shown_in_terminal("compare", LONG_PATH, "--baseline", "old", columns=width, cwd=tmp_path)
    assert shown.code == 2
    assert LONG_PATH in "".join(shown.lines)
    assert all(len(line) <= width for line in shown.lines if "/nowhere/" not in line)
    assert shown.text.startswith(f"{RED}error:")
    assert all(line.startswith("  ") for line in shown.lines[1:])


@pytest.mark.parametrize("width", [80, 100, 140])
def test_help_in_a_terminal_fits_it(width: int, tmp_path: Path) -> None:
    shown = shown_in_terminal("run", "--help", columns=width, cwd=tmp_path)
    assert (shown.code, "\x1b" in shown.text) == (0, False)
    assert width - 20 < max(map(len, shown.lines)) <= width or max(map(len, shown.lines)) == 98


def words(count: int) -> str:
    return " ".join(f"word-{number}" for number in range(count))


def say(message: str) -> None:
    Lines().say(message)


@pytest.mark.parametrize("show", [console.note, say, console.banner])
def test_messages_in_a_pipe_are_wrapped_at_80_columns(
    show: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    show(f"{words(30)} {LONG_PATH} https://a.example/{'path/' * 30}")
    lines = capsys.readouterr().err.splitlines()
    assert all(len(line) <= 80 for line in lines if "/" not in line and "!!!" not in line)
    assert {*words(30).split(), LONG_PATH} <= set(" ".join(lines).split())


def test_a_stated_width_wins(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "10000")
    console.note(words(100))
    console.print_error(BadInput(words(100), words(90)))
    assert capsys.readouterr().err.splitlines() == [words(100), f"error: {words(100)}", f"  {words(90)}"]


def test_problem_and_remedy_can_be_told_apart_when_they_are_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_error(BadInput(words(30), words(30)))
    indents = [len(line) - len(line.lstrip()) for line in capsys.readouterr().err.splitlines()]
    assert indents == [0, 7, 7, 7, 2, 4, 4, 4]


@pytest.mark.parametrize(
    ("variables", "terminal", "colours"),
    [
        ({}, True, True), ({}, False, False), ({"NO_COLOR": "1"}, True, False), ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False), ({"FORCE_COLOR": "1"}, False, True), ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)  # fmt: skip
def test_colours_follow_the_stream_and_the_variables(
    variables: dict[str, str], terminal: bool, colours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = Screen() if terminal else io.StringIO()
    assert shows_colours(stream) is colours
    assert ("\x1b" in message_lines("error: no", stream)[0]) is colours


def test_a_closed_stream_has_no_colours_and_a_width() -> None:
    stream = Screen()
    stream.close()
    assert not shows_colours(None)
    assert columns(None) is None
    assert (columns(stream) or 80) == 80


def test_verdicts_warnings_and_the_best_rows_are_coloured() -> None:
    text = "\n".join([
        "! Times are not reliable: 2 of 9 vary (~).", "  Stop other programs.", "",
        "  variant  vs keras ~", "▸ int8     11.7× faster", "  keras    2.1× slower ~", "  a~b      baseline",
        "x  faster  y", "slower than that",
    ])  # fmt: skip
    lines = coloured(text).split("\n")
    assert [line.startswith(YELLOW) for line in lines[:3]] == [True, True, False]
    assert lines[4].startswith(BOLD)
    assert f"{GREEN}11.7× faster" in lines[4]
    assert f"{RED}2.1× slower" in lines[5]
    assert f"{YELLOW}~" in lines[3]
    assert f"{YELLOW}~" in lines[5]
    assert lines[6] == "  a~b      baseline"
    assert f"{GREEN}faster" in lines[7]
    assert lines[8] == "slower than that"
    assert re.sub(r"\x1b\[\d+m", "", "\n".join(lines)) == text, "widths are the same"


@pytest.mark.parametrize("form", Format)
def test_only_tables_have_colours(
    form: Format, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    row = {"variant": "int8", "time": "2.1× slower"}
    console.print_table(Table("speed", list(row), [list(row.values())], 1, records=[row]), form)
    assert ("\x1b" in capsys.readouterr().out) is (form is Format.TABLE)


def test_text_of_a_table_cannot_colour_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    console.print_table(Table("speed", ["name"], [["\x1b[31mred"]], 1), Format.TABLE)
    assert "\x1b[31m" not in capsys.readouterr().out


def test_a_completion_is_installed_for_a_shell(tmp_path: Path) -> None:
    outcome = call_here("--show-completion", "bash", cwd=tmp_path, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (outcome.code, outcome.error) == (0, None)
    assert "_EDGE_BENCH_COMPLETE=complete_bash" in outcome.stdout
    assert os.listdir(tmp_path) == []  # noqa: PTH208
