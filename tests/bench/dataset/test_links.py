"""Symbolic links that lead to other classes, in circles or to nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_bench.bench.dataset.image_list import list_images
from edge_bench.bench.errors import DatasetError
from tests.bench.messages import numbers_in
from tests.made.images import class_folders, image


def linked(folder: Path, real: Path) -> Path:
    """Write classes 0 to 3 below ``real``, and ``folder`` with a link to each; return it."""
    class_folders(real, range(4))
    folder.mkdir()
    for label in range(4):
        (folder / str(label)).symlink_to(os.path.relpath(real / str(label), folder))
    return folder


def up_from_the_target(root: Path) -> str:
    linked(root / "img", root / "real")
    (root / "real" / "3" / "loop").symlink_to("..")
    return "3/loop"


def to_the_folder_above(root: Path) -> str:
    linked(root / "img", root / "real")
    (root / "real" / "3" / "loop").symlink_to("../..")
    return "3/loop"


def by_another_folder(root: Path) -> str:
    linked(root / "img", root / "real")
    image(root / "other" / "x.png")
    (root / "real" / "3" / "more").symlink_to("../../other")
    (root / "other" / "loop").symlink_to("../real")
    return "3/more/loop"


def to_the_folder_of_other_classes(root: Path) -> str:
    linked(root / "img", root / "real")
    class_folders(root / "img", range(4, 5))
    (root / "img" / "4" / "all").symlink_to("../../real")
    return "4/all"


def above_the_data(root: Path) -> str:
    class_folders(root / "img", range(4))
    class_folders(root / "other", range(4))
    (root / "img" / "2" / "up").symlink_to("../..")
    return "2/up"


@pytest.mark.parametrize(
    "link",
    [up_from_the_target, to_the_folder_above, by_another_folder, to_the_folder_of_other_classes, above_the_data],
)
def test_a_link_never_adds_the_images_of_other_classes(tmp_path: Path, link: Callable[[Path], str]) -> None:
    ignored = link(tmp_path)
    found = list_images(tmp_path / "img")
    assert found.labels is not None
    assert len(found.files) == len(set(found.files)) == 4 * len(found.classes) + (tmp_path / "other" / "x.png").exists()
    (note,) = found.notes
    assert note.endswith(f": {ignored}")
    assert numbers_in(note.split(":")[1]) == [1]


def test_a_link_that_several_paths_lead_to_is_named_once(tmp_path: Path) -> None:
    image(tmp_path / "real" / "x.png")
    for name in ("loop", "gone.png"):
        (tmp_path / "real" / name).symlink_to("../real" if name == "loop" else "nothing.png")
    (tmp_path / "img").mkdir()
    for name in ("b", "a", "c"):
        (tmp_path / "img" / name).symlink_to("../real")
    dangling, loop = list_images(tmp_path / "img").notes
    assert dangling.endswith(": a/gone.png")
    assert loop.endswith(": a/loop")


def test_a_class_that_contains_the_target_of_another_keeps_its_images(tmp_path: Path) -> None:
    for name in ("x/a/0.png", "x/1.png", "2.png"):
        image(tmp_path / "real" / name)
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a").symlink_to("../real/x/a")
    (tmp_path / "img" / "b").symlink_to("../real")
    assert list_images(tmp_path / "img").files == ["a/0.png", "b/2.png", "b/x/1.png", "b/x/a/0.png"]


@pytest.mark.parametrize("name", ["self.png", "self"])
@pytest.mark.parametrize("target", ["{name}", "../1/{name}", "0.png/{name}", "y" * 300, "nothing"])
def test_a_link_to_itself_or_to_an_impossible_path_leads_to_nothing(tmp_path: Path, name: str, target: str) -> None:
    folder = class_folders(tmp_path / "img", range(2))
    (folder / "0" / name).symlink_to(target.format(name=name))
    (folder / "1" / name).symlink_to(f"../0/{name}")
    found = list_images(folder)
    assert len(found.files) == 8
    (note,) = found.notes
    assert 2 in numbers_in(note)
    (folder / "9").symlink_to("9")
    with pytest.raises(DatasetError) as caught:
        list_images(folder)
    assert str(folder / "9") in caught.value.problem
