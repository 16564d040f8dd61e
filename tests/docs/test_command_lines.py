"""Commands in the docs exist: options of `edge-bench`, targets of make. Nothing is executed."""

import contextlib
import functools
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import typer

from edge_bench.app.cli import console
from edge_bench.app.cli.main import app
from tests.command_line import REPOSITORY, clean_environment
from tests.docs.pages import all_pages, blocks, command_lines, edge_bench_arguments, shell_blocks

#: Of fenced blocks. ``sh`` blocks are executed; other names of shells would escape that.
LANGUAGES = {"", "json", "python", "sh", "text", "toml", "yaml"}
#: Commands that need another machine, a network or an administrator.
ELSEWHERE = {"apt", "apt-get", "docker", "git", "pip", "rsync", "scp", "ssh", "sudo", "uv", "uvx"}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the words of every command in every page."""
    for page in all_pages():
        for block in shell_blocks(page):
            for words in command_lines(block.text):
                yield str(block), words


@functools.cache
def root() -> Any:
    return typer.main.get_command(app)


def parse(arguments: list[str]) -> None:
    """Parse arguments of `edge-bench` as it does, without executing the command; raise typer's error for wrong ones."""
    command = root()
    names, rest = ["edge-bench"], list(arguments)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        names.append(rest.pop(0))
        command = command.commands[names[-1]]
    if not rest and hasattr(command, "commands"):
        return  # prints help
    with contextlib.suppress(typer.Exit):  # --help
        command.make_context(" ".join(names), rest, help_option_names=["-h", "--help"])


def test_every_command_of_edge_bench_parses(tmp_path: Path) -> None:
    wrong, seen = [], 0
    with (
        mock.patch.dict(os.environ, clean_environment(tmp_path), clear=True),
        mock.patch.object(console, "settings", console.Settings()),
    ):
        for place, words in commands():
            if (arguments := edge_bench_arguments(words)) is None:
                continue
            seen += 1
            try:
                parse(arguments)
            except Exception as error:
                wrong.append(f"{place}: {' '.join(words)}: {error!r} {error}")
    assert wrong == []
    assert seen > 50


def test_every_target_and_variable_of_make_exists() -> None:
    used = [words[1:] for _, words in commands() if words[0] == "make"]
    targets = {word for words in used for word in words if "=" not in word}
    variables = {word.partition("=")[0] for words in used for word in words if "=" in word}
    assert "bench" in targets
    done = subprocess.run(
        ["make", "--dry-run", *sorted(targets)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    known = "".join(
        (REPOSITORY / name).read_text(encoding="utf-8") for name in ("Makefile", "containers.mk", "release.mk")
    )
    assert {name for name in variables if not re.search(rf"\$[({{]{name}\b|\b{name}\)", known)} == set()


def test_blocks_that_are_not_run_say_why(record_property: Any) -> None:
    marked = [block for page in all_pages() for block in shell_blocks(page) if block.not_run is not None]
    assert [str(block) for block in marked if not block.not_run] == []
    for block in marked:
        record_property(f"not run: {block}", block.not_run)
        print(f"not run: {block}: {block.not_run}")


def test_blocks_that_need_another_machine_or_a_network_are_marked() -> None:
    unmarked = {
        str(block): words[0]
        for page in all_pages()
        if page.parent.name == "docs" or page.name == "README.md"
        for block in shell_blocks(page)
        if block.not_run is None
        for words in command_lines(block.text)
        if words[0] in ELSEWHERE
    }
    assert unmarked == {}, "put <!-- not run: REASON --> before these blocks"


def test_blocks_have_a_known_language() -> None:
    others = {str(block): block.language for page in all_pages() for block in blocks(page)}
    assert {place: language for place, language in others.items() if language not in LANGUAGES} == {}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("a b  # it's c\nd", [["a", "b"], ["d"]]),
        ("x=1 y='2 3' a \\\n  b > out 2>/dev/null | c & d", [["a", "b"], ["c"], ["d"]]),
        ("for p in a b; do\n  c \"$p #\"\ndone", [["for", "p", "in", "a", "b"], ["c", "$p #"], ["done"]]),
        ("python - <<'END' > out\nit's (\nEND\na", [["python", "-"], ["a"]]),
    ],
)  # fmt: skip
def test_words_of_commands(script: str, words: list[list[str]]) -> None:
    assert list(command_lines(script)) == words


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("edge-bench run --limit 2", ["run", "--limit", "2"]),
        ("docker run --rm -e X=1 --hostname pi edge-bench doctor", ["doctor"]),
        ("docker compose run --rm edge run --budget 1h", ["run", "--budget", "1h"]),
        ("ssh me@pi docker run edge-bench", []),
        ("docker compose up train", None),
        ("make bench", None),
    ],
)
def test_arguments_of_edge_bench(command: str, arguments: list[str] | None) -> None:
    assert edge_bench_arguments(command.split()) == arguments


@pytest.mark.parametrize("line", ["run --nonsense", "nonsense", "run --trials 0", "fleet nonsense", "compare"])
def test_wrong_options_are_found(line: str) -> None:
    usage_error: Any = typer.BadParameter.__base__  # typer does not export it
    with pytest.raises((usage_error, KeyError)):
        parse(line.split())
