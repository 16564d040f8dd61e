"""The option --find-fastest of `run`."""

import pytest

from tests.command_line import Refuses


@pytest.mark.parametrize("other", [("--repeat-runs", 2), ("--resample", 5), ("--processes", 1)], ids=str)
def test_options_that_do_not_fit_are_refused_before_anything_is_read(refuses: Refuses, other: tuple[str, int]) -> None:
    error = refuses("run", "nowhere", "--find-fastest", *other)
    assert "--find-fastest" in error.problem
    assert other[0].removeprefix("--") in f"{error.problem} {error.remedy}"
