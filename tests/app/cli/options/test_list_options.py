"""Options that are lists in one text: given twice, one list would silently replace the other."""

from collections.abc import Iterator
from typing import Any

import pytest

from edge_bench.bench.errors import BadInput, EdgeBenchError
from tests.command_line import Refuses, call_here, command_parameters

#: Options that are lists, by their use: names, counts, numbers per channel, addresses, folders, powers.
LISTS = {
    "--variant", "--runtime", "--threads", "--batch-size", "--payload", "--in-flight", "--format", "--scale",
    "--offset", "--ignore-mask-values", "--workers", "--compare-with", "--power", "--stop-after", "--to",
    "--cpus", "--keep",
}  # fmt: skip


def lists() -> Iterator[tuple[str, Any]]:
    """Every list option of every command, with the command's name."""
    for name, parameter in command_parameters(with_names=True):
        if parameter.param_type_name == "option" and parameter.metavar == "LIST":
            yield name, parameter


def test_every_option_that_is_a_list_is_declared_as_one() -> None:
    found = {(name, option) for name, each in lists() for option in each.opts if option.startswith("--")}
    assert {option for _, option in found} == LISTS
    for name in ("run", "fleet run"):
        assert {(name, option) for option in ("--variant", "--runtime", "--threads", "--batch-size")} <= found
    for name, option in (("offload", "--variant"), ("report", "--format"), ("export", "--scale")):
        assert (name, option) in found


@pytest.mark.parametrize(("name", "option"), list(lists()), ids=lambda value: getattr(value, "name", value))
def test_a_list_given_twice_is_refused(name: str, option: Any, refuses: Refuses) -> None:
    for first in option.opts:
        error = refuses(*name.split(), first, "1", option.opts[0], "2")
        assert isinstance(error, BadInput)
        assert max(option.opts, key=len) in error.problem
    assert isinstance(refuses(*name.split(), f"{max(option.opts, key=len)}=1", option.opts[0], "1"), BadInput)


def test_a_list_in_the_environment_is_replaced_by_the_option(tmp_path: Any) -> None:
    outcome = call_here("run", "nowhere", "--variant", "dynamic", cwd=tmp_path, EDGE_BENCH_VARIANT="float32")
    assert isinstance(outcome.error, EdgeBenchError)
    assert "--variant" not in outcome.error.problem


def test_of_a_single_value_the_last_counts(tmp_path: Any) -> None:
    error = call_here("run", "nowhere", "--trials", "1", "--trials", "2", cwd=tmp_path).error
    assert error is not None
    assert "nowhere" in error.problem
