"""Help without being asked for."""

from pathlib import Path

import pytest

from tests.command_line import call_here


@pytest.mark.parametrize(("group", "commands"), [((), ("train", "run", "fleet")), (("fleet",), ("list", "clean"))])
def test_a_group_without_a_command_prints_its_help(
    group: tuple[str, ...], commands: tuple[str, ...], tmp_path: Path
) -> None:
    outcome = call_here(*group, cwd=tmp_path)
    assert (outcome.code, outcome.error) == (2, None)
    assert {line.split()[0] for line in outcome.stderr.splitlines() if line.strip()} >= set(commands)
