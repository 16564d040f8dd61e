"""Labels files, class lists and missing classes: the accuracy is right, or the data is refused."""

import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput, DatasetError
from tests.bench.interpretation.in_process import accuracy
from tests.command_line import Refuses
from tests.made.images import class_folders, image
from tests.made.tflite_models import brightness_tflite

WORDS = ["ant", "bee", "cow", "dog", "eel", "fox", "gnu", "hen"]


def classifier(folder: Path, order: Sequence[int]) -> Path:
    return brightness_tflite(folder / "model.tflite", order)


def word_folders(folder: Path, labels: Sequence[int], each: int = 4) -> Path:
    """Write images in folders that are called after animals."""
    for label in labels:
        for number in range(each):
            image(folder / WORDS[label] / f"{number}.png", label, number - 2)
    return folder


@pytest.mark.parametrize(
    "line",
    [
        "{name},{label}",
        "{name}\t{label}",
        '"{name}";"{label}"',
        "{name} {label}",
        '{label},"{name}"',
        "/x/{name} {label}",
    ],
)
@pytest.mark.parametrize(
    "name", ["Photo {} (edited).png", "IMG 2024-05-0{} 12.30.png", "{}  two blanks.png", "a{} 7.png"]
)
def test_file_names_with_blanks(line: str, name: str, tmp_path: Path) -> None:
    lines = []
    for label in (3, 0, 2, 1, 4):
        image(tmp_path / "phone" / name.format(label), label)
        lines.append(line.format(name=name.format(label), label=label))
    (tmp_path / "labels.txt").write_text("\n".join(lines) + "\n")
    options = DataOptions(data=tmp_path / "phone", labels=tmp_path / "labels.txt", preprocess="unit")
    assert accuracy(classifier(tmp_path, range(5)), options, images=5) == 1


@pytest.mark.parametrize("prefix", ["", "recordings/", "C:\\recordings\\", "/data/2024/"])
@pytest.mark.parametrize("folders", [["left", "right"], ["a/front", "b/front"], ["left", "left/again", "other"]])
def test_equal_file_names_in_several_folders(prefix: str, folders: list[str], tmp_path: Path) -> None:
    lines, label = [], 0
    for folder in folders:
        for number in range(3):
            image(tmp_path / "shots" / folder / f"img{number}.png", label % 5)
            lines.append(f"{prefix}{folder}/img{number}.png {label % 5}")
            label += 1
    (tmp_path / "labels.txt").write_text("\n".join(reversed(lines)))
    options = DataOptions(data=tmp_path / "shots", labels=tmp_path / "labels.txt", preprocess="unit")
    assert accuracy(classifier(tmp_path, range(5)), options, images=3 * len(folders)) == 1


@pytest.mark.parametrize(
    "listed", [["img0.png 3", "img0.png 1"], ["x/img0.png 3", "y/img0.png 1"], ["left/img0.png 3"]]
)
def test_lines_that_match_several_images_or_no_image_are_refused(
    listed: list[str], refuses: Refuses, tmp_path: Path
) -> None:
    for folder, label in (("left", 3), ("right", 1)):
        image(tmp_path / "shots" / folder / "img0.png", label)
    (tmp_path / "labels.txt").write_text("\n".join(listed))
    classifier(tmp_path, range(5))
    error = refuses("run", "model.tflite", "--data", "shots", "--labels", "labels.txt", kind=DatasetError)
    assert (error.exit_code, "img0.png" in error.problem) == (2, True)


ORDER = [2, 0, 3, 1]


@pytest.mark.parametrize(
    "lines",
    [
        ["kind2", "kind0", "kind3", "kind1"],
        ["0 kind2", "1 kind0", "2 kind3", "3 kind1"],
        ["1 kind2", "2 kind0", "3 kind3", "4 kind1"],
        ["0: kind2", "1: kind0", "2: kind3", "3: kind1"],
        ["3,kind1", "2,kind3", "1,kind0", "0,kind2"],
        ["Kind2\r", "Kind0\r", "Kind3\r", "Kind1\r"],
    ],
)
def test_class_lists_as_they_come_with_models(lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("\n".join(lines) + "\n", newline="")
    folders = class_folders(tmp_path / "folders", range(4), name="kind{}")
    options = DataOptions(data=folders, classes=tmp_path / "classes.txt", preprocess="unit")
    assert accuracy(classifier(tmp_path, ORDER), options, images=16) == 1


def test_a_repeated_class_name_matters_only_if_a_label_has_it(tmp_path: Path) -> None:
    model = classifier(tmp_path, range(4))
    (tmp_path / "classes.txt").write_text("heron\ncrane\ndredger\ncrane\n")
    for label in range(4):
        image(tmp_path / "flat" / f"{label}.png", label)
    (tmp_path / "numbers.txt").write_text("".join(f"{label}.png {label}\n" for label in range(4)))
    (tmp_path / "names.txt").write_text("0.png heron\n1.png crane\n2.png dredger\n3.png crane\n")
    stated: dict[str, Any] = {"data": tmp_path / "flat", "classes": tmp_path / "classes.txt", "preprocess": "unit"}
    assert accuracy(model, DataOptions(**stated, labels=tmp_path / "numbers.txt")) == 1
    with pytest.raises(DatasetError, match="crane"):
        accuracy(model, DataOptions(**stated, labels=tmp_path / "names.txt"))


@pytest.mark.parametrize("missing", [0, 4, 7])
@pytest.mark.parametrize("name", ["{}", "digit-{}", "{:03}"])
def test_a_missing_class_with_a_number_moves_no_label(missing: int, name: str, tmp_path: Path) -> None:
    present = [label for label in range(8) if label != missing]
    options = DataOptions(data=class_folders(tmp_path / "images", present, name=name))
    assert accuracy(classifier(tmp_path, range(8)), options, images=28) == 1


@pytest.mark.parametrize("missing", [0, 3, 7])
def test_a_missing_class_with_a_name_is_detected_or_requested(missing: int, tmp_path: Path) -> None:
    """At either end the images show the offset. Elsewhere no offset fits, and the names of all classes are needed."""
    present = [label for label in range(8) if label != missing]
    folders, model = word_folders(tmp_path / "images", present), classifier(tmp_path, range(8))
    if missing in (0, 7):
        assert accuracy(model, DataOptions(data=folders), images=28) == 1
    else:
        with pytest.raises(BadInput) as refused:
            accuracy(model, DataOptions(data=folders))
        assert "--classes" in refused.value.remedy
    (tmp_path / "classes.txt").write_text("\n".join(WORDS))
    assert accuracy(model, DataOptions(data=folders, classes=tmp_path / "classes.txt"), images=28) == 1


@pytest.mark.parametrize("classes", [5, 8])
def test_a_background_class_is_found_on_the_images(classes: int, tmp_path: Path) -> None:
    model = classifier(tmp_path, [12, *range(classes)])
    assert accuracy(model, DataOptions(data=word_folders(tmp_path / "images", range(classes), 6))) == 1


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 100_000_000, 1]), np.array([0, 2**62, 1]), np.array([0, 2**64 - 1, 1], np.uint64),
        np.array([0, 1e12, 1]), np.array([0, -1, 1]), np.array([0, 65_535, 1]),
    ],
)  # fmt: skip
def test_a_huge_label_is_refused_before_memory_is_allocated(
    labels: npt.NDArray[Any], refuses: Refuses, tmp_path: Path
) -> None:
    classifier(tmp_path, range(4))
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8, 3), np.uint8))
    np.save(tmp_path / "y.npy", labels)
    command = ("run", "model.tflite", "--data", "x.npy", "--labels", "y.npy")
    tracemalloc.start()
    error = refuses(*command, kind=DatasetError)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.exit_code == 2
    assert "y.npy" in error.problem
    assert peak < 100e6


def test_a_label_that_the_model_does_not_have_is_refused(refuses: Refuses, tmp_path: Path) -> None:
    classifier(tmp_path, range(4))
    image(tmp_path / "images" / "a.png")
    (tmp_path / "labels.txt").write_text("a.png 60000\n")
    error = refuses("run", "model.tflite", "--data", "images", "--labels", "labels.txt")
    assert error.exit_code == 2
    assert "60000" in error.problem.replace(",", "")
