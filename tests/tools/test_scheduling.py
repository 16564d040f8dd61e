"""Tests that share something expensive run in one process."""

from tests.scheduling import group_of


def test_images_engines_and_modules_are_groups() -> None:
    assert group_of("tests/containers/test_story.py::test_a") == group_of("tests/containers/test_images.py::test_b[x]")
    assert group_of("tests/fleet/test_engines.py::test_a") == group_of("tests/fleet/test_swarm.py::test_b")
    assert group_of("tests/fleet/test_collector.py::test_a") != group_of("tests/fleet/test_engines.py::test_a")
    assert group_of("tests/a/test_b.py::test_c[d::e]") == "tests/a/test_b.py"
