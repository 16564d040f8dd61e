"""Keywords of the API are the options of the commands."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import edge_bench
from edge_bench.api.keywords import DataKeywords, stated_data
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.measure.options.data import data_options
from tests.command_line import command_parameters

#: Options of `run` and `export` that are no keywords, and why.
WITHOUT_KEYWORD = {
    "dry_run": "the function makes the same checks before it measures",
    "repeat_runs": "the function returns one Run; call it in a loop",
    "compare_with": "edge_bench.compare",
    "output_format": "Run.to_frame",
    "wide": "nothing is printed",
    "why": "nothing is printed",
    "quiet": "progress is off unless it is asked for",
    "debug": "errors are exceptions",
}
#: Options whose keyword is a plural, because it takes a list.
RENAMED = {"variant": "variants", "runtime": "runtimes", "batch_size": "batch_sizes", "delegate": "delegates"}
FUNCTIONS: dict[str, Callable[..., object]] = {"run": edge_bench.run, "export": edge_bench.export}


def options(command: str) -> dict[str, Any]:
    return {each.name: each for name, each in command_parameters(with_names=True) if name == command}


def keywords(function: Callable[..., object]) -> set[str]:
    return (set(inspect.signature(function).parameters) | DataKeywords.__annotations__.keys()) - {"data_options"}


@pytest.mark.parametrize("command", list(FUNCTIONS))
def test_every_option_has_a_keyword_or_a_reason_not_to(command: str) -> None:
    wanted = {RENAMED.get(name, name) for name in options(command).keys() - WITHOUT_KEYWORD.keys() - {"help"}}
    optional = {"progress"} | ({"require_sandbox"} if command == "export" else set())
    assert keywords(FUNCTIONS[command]) ^ wanted <= optional


@pytest.mark.parametrize("command", list(FUNCTIONS))
def test_defaults_are_those_of_the_command(command: str) -> None:
    parameters = inspect.signature(FUNCTIONS[command]).parameters
    for name, option in options(command).items():
        parameter = parameters.get(RENAMED.get(name, name))
        if parameter is not None and parameter.default is not inspect.Parameter.empty:
            default = str(option.default) if isinstance(option.default, Path) else option.default
            assert parameter.default == default, name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (each.name, value)
        for each in options("run").values()
        if each.name not in WITHOUT_KEYWORD
        for limit, step in ((each.min, -1), (each.max, 1))
        if limit is not None
        for value in (limit + step, "many")
    ],
)
def test_limits_are_those_of_the_command(name: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(edge_bench.BadInput) as refused:
        edge_bench.run(tmp_path / "model.tflite", **{name: value})
    assert f"--{name.replace('_', '-')}" in refused.value.problem


@pytest.mark.parametrize(
    ("keyword", "value", "field", "meant"),
    [
        ("scale", 0.5, "scale", [0.5]),
        ("scale", (0.1, 0.2, 1 / 3), "scale", [0.1, 0.2, 1 / 3]),
        ("image_size", (96, 128), "image_size", (96, 128)),
        ("image_size", 96, "image_size", (96, 96)),
        ("shape", {"tokens": (1, 128)}, "shapes", ("tokens=1x128",)),
        ("range", {"tokens": (0, 9999), "x": (-1.5, 1.0)}, "ranges", ("tokens=0..9999", "x=-1.5..1.0")),
        ("output", 1, "output", "1"),
        ("classes", "names.txt", "classes", Path("names.txt")),
        ("ignore_mask_values", [0, 255], "ignore_mask_values", "0,255"),
    ],
)
def test_values_of_python_mean_the_same_as_texts(keyword: str, value: Any, field: str, meant: Any) -> None:
    said = data_options(stated_data({keyword: value}, data="images", labels=None, task=None))
    assert getattr(said, field) == meant
    assert said.data == Path("images")


def test_omitted_options_have_their_defaults() -> None:
    assert data_options(stated_data({"classes": None}, data=None, labels=None, task=None)) == DataOptions()


@pytest.mark.parametrize(
    "wrong",
    [
        {"threads": 0}, {"threads": [1.5]}, {"batch_sizes": "a"}, {"scenario": "fast"}, {"memory_limit": "much"},
        {"memory_limit": 1}, {"trials": 2.5}, {"stateful": "yes"}, {"head": "yolov9"}, {"scale": "a"}, {"range": ["x"]},
        {"image_size": (0, 4)}, {"shape": {"x": (1.5,)}}, {"labels": "labels.csv"},
        {"variants": []}, {"runtimes": 3},
    ],
    ids=str,
)  # fmt: skip
def test_values_that_are_none_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(edge_bench.BadInput):
        edge_bench.run(tmp_path / "model.tflite", **wrong)


def test_a_keyword_that_is_none_is_a_type_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        edge_bench.run(tmp_path, lables="labels.csv")  # type: ignore[call-arg]
