"""Help: its sections, its width, examples that parse, and help without being asked for."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from edge_bench.app.cli.examples import EXAMPLES
from edge_bench.app.cli.main import app
from edge_bench.app.cli.options import completion
from edge_bench.app.cli.options.declare import Section
from edge_bench.app.conversion.precisions import PRECISIONS
from edge_bench.app.training.data.datasets import DATASETS
from edge_bench.app.training.fit.architectures import MODELS
from edge_bench.bench.preprocessing.presets import PRESETS
from edge_bench.bench.runtimes import RUNTIMES
from tests.command_line import call_here, command_parameters

PARAMETERS = list(command_parameters(with_names=True))
COMMANDS = sorted({name for name, _ in PARAMETERS})


def command_named(words: list[str]) -> tuple[Any, list[str]]:
    """The command that a command line without ``edge-bench`` calls, and its arguments."""
    found: Any = typer.main.get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    return found, words


@pytest.mark.parametrize(("group", "commands"), [((), ("train", "run", "fleet")), (("fleet",), ("list", "clean"))])
def test_a_group_without_a_command_prints_its_help_and_a_next_step(
    group: tuple[str, ...], commands: tuple[str, ...], tmp_path: Path
) -> None:
    outcome = call_here(*group, cwd=tmp_path)
    assert (outcome.code, outcome.error, outcome.stdout) == (2, None, "")
    assert {line.split()[0] for line in outcome.stderr.splitlines() if line.strip()} >= set(commands)
    assert EXAMPLES[" ".join(group)][0] in outcome.stderr
    asked = call_here(*group, "--help", cwd=tmp_path)
    assert (asked.code, asked.stdout, asked.stderr) == (0, outcome.stderr, "")


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("compare", "RUNS"), ("report", "RUNS"), ("history", "RUNS"), ("inspect", "MODEL"), ("export", "MODEL"),
        ("offload", "--server"), ("fleet run", "BUNDLE"), ("fleet train", "BUNDLE"),
    ],
)  # fmt: skip
def test_a_missing_argument_is_named_with_an_example(words: str, missing: str, tmp_path: Path) -> None:
    outcome = call_here(*words.split(), cwd=tmp_path)
    assert outcome.error is not None
    assert (outcome.code, outcome.stdout) == (2, "")
    assert missing in outcome.error.problem
    assert EXAMPLES[words][0] in outcome.error.remedy


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_its_width_and_breaks_no_word(name: str, columns: int, tmp_path: Path) -> None:
    shown = call_here(*name.split(), "--help", cwd=tmp_path, COLUMNS=str(columns), FORCE_COLOR="1").stdout
    assert "\x1b" not in shown
    examples = {f"  {line}" for line in EXAMPLES[name]}
    too_long = {line for line in shown.splitlines() if len(line) > min(columns, 100)}
    assert {line for line in too_long if " " in line.strip()} <= examples, "only words and examples are longer"
    words = set(shown.split())
    for parameter in (each for owner, each in PARAMETERS if owner == name and not each.hidden):
        flags = [*parameter.opts, *parameter.secondary_opts] if parameter.param_type_name == "option" else []
        assert {flag.rstrip(",") for flag in words} >= set(flags)
        assert words >= set((parameter.help or "").split())


def test_sections_are_in_order_and_every_value_has_a_name() -> None:
    titles = [f"{section.value}:" for section in Section]
    shown = call_here("run", "--help", cwd=Path.cwd()).stdout.splitlines()
    found = [line for line in shown if line in titles]
    assert found == sorted(found, key=titles.index)
    assert len(found) > 5
    assert next(line for line in shown if line.startswith("  --")).split()[0] == "--data"
    unnamed = [
        (name, each.opts) for name, each in PARAMETERS
        if each.param_type_name == "option" and not each.is_flag and not each.metavar
    ]  # fmt: skip
    assert [flags for _, flags in unnamed if flags[0] not in ("--install-completion", "--show-completion")] == []


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_examples_are_command_lines_that_parse(line: str) -> None:
    words = shlex.split(line.split("   ", maxsplit=1)[0])
    assert words[0] == "edge-bench"
    assert len(f"  {line}") <= 80
    command, arguments = command_named(words[1:])
    if "COMMAND" in arguments:
        return
    values, _, _ = command.make_parser(typer.Context(command)).parse_args(args=arguments)
    missing = [each.name for each in command.params if each.required and not values.get(each.name)]
    assert missing == []


def test_completions_are_the_names_that_exist() -> None:
    assert set(completion.VARIANTS) == {"keras", *PRECISIONS}
    assert set(completion.RUNTIMES) == set(RUNTIMES)
    assert set(completion.DATASETS) == {*DATASETS, "auto"}
    assert set(completion.MODELS) == set(MODELS)
    assert set(completion.PRESETS) == set(PRESETS)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("train --dataset di", ["digits"]),
        ("run m --variant dynamic,fl", ["dynamic,float32", "dynamic,float16"]),
        ("compare --format js", ["json", "jsonl"]),
        ("fleet list --engine p", ["pi"]),
        ("run --repeat", ["--repeat-runs"]),
        ("hi", ["history"]),
    ],
)
def test_a_shell_completes_commands_options_and_values(typed: str, offered: list[str], tmp_path: Path) -> None:
    context = tmp_path / "contexts" / "meta" / "0"
    context.mkdir(parents=True)
    (context / "meta.json").write_text('{"Name": "pi"}')
    (context.parent / "1").mkdir()
    (context.parent / "1" / "meta.json").write_text("damaged")
    words = f"edge-bench {typed}"
    outcome = call_here(
        cwd=tmp_path, DOCKER_CONFIG=str(tmp_path), _EDGE_BENCH_COMPLETE="complete_bash", COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )  # fmt: skip
    assert (outcome.code, outcome.error, outcome.stderr) == (0, None, "")
    assert outcome.stdout.split() == offered
