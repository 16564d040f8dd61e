"""True boxes from COCO's JSON format."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.dataset.box_labels.coco import images_in_coco, read_coco
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.tasks.detection.boxes import Category, GroundTruth
from tests.bench.messages import numbers_in

FILES = ["a.jpg", "b.jpg"]
SIZES = np.array([[640, 480], [100, 200]])
Change = Callable[[dict[str, Any]], object]


def content() -> dict[str, Any]:
    """Annotations of three images: two boxes and a crowd in a.jpg, none in b.jpg, one in an image that is not used."""
    return {
        "info": {"year": 2017},
        "images": [
            {"id": 7, "file_name": "b.jpg", "width": 100, "height": 200, "license": 1},
            {"id": 3, "file_name": "a.jpg", "width": 640, "height": 480},
            {"id": 9, "file_name": "c.jpg"},
        ],
        "annotations": [
            {"id": 1, "image_id": 3, "category_id": 90, "bbox": [10, 20, 30.5, 40], "iscrowd": 0, "segmentation": []},
            {"id": 2, "image_id": 3, "category_id": 2, "bbox": [0, 0, 640, 480], "iscrowd": 1},
            {"id": 3, "image_id": 9, "category_id": 2, "bbox": [0, 0, 9999, 9999]},
            {"id": 4, "image_id": 3, "category_id": 2, "bbox": [639, 479, 2, 2], "iscrowd": False},
        ],
        "categories": [{"id": 90, "name": "toothbrush", "supercategory": "x"}, {"id": 2, "name": "bicycle"}],
    }


def read(folder: Path, text: bytes | str | dict[str, Any], files: list[str] = FILES, sizes: Any = SIZES) -> GroundTruth:
    path = folder / "instances.json"
    data = json.dumps(text) if isinstance(text, dict) else text
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_coco(path, folder / "images", files, sizes)


def test_boxes_categories_and_crowds(tmp_path: Path) -> None:
    truth = read(tmp_path, content())
    assert truth.categories == (Category(2, "bicycle"), Category(90, "toothbrush"))
    first, second = truth.images
    assert first.corners.tolist() == [[10, 20, 40.5, 60], [0, 0, 640, 480], [639, 479, 641, 481]]
    assert first.categories.tolist() == [1, 0, 0]
    assert first.crowd.tolist() == [False, True, False]
    assert len(second.corners) == 0
    assert truth.occurring().tolist() == [0, 1]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["val/a.jpg", "val/b.jpg"], ["a.jpg", "b.jpg"]),
        (["a.jpg", "b.jpg"], ["val2017/a.jpg", "val2017/b.jpg"]),
        (["x/0.jpg", "y/0.jpg"], ["x/0.jpg", "y/0.jpg"]),
        (["nin\u0303o.jpg", "b.jpg"], ["ni\u00f1o.jpg", "b.jpg"]),
        (["ni\udcf1o.jpg", "b.jpg"], ["ni\udcf1o.jpg", "b.jpg"]),  # Latin-1, as Python's json writes it
        (["a.jpg", "b.jpg"], ["images\\a.jpg", "images\\b.jpg"]),
    ],
)
def test_names_of_files(tmp_path: Path, files: list[str], names: list[str]) -> None:
    data = content()
    data["images"][1]["file_name"], data["images"][0]["file_name"] = names
    assert [len(each.corners) for each in read(tmp_path, data, files).images] == [3, 0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-le"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    assert len(read(tmp_path, json.dumps(content()).encode(encoding)).images[0].corners) == 3


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    data = content()
    data["images"][1]["file_name"] = "niño.jpg"
    raw = json.dumps(data, ensure_ascii=False).encode("latin-1")
    assert len(read(tmp_path, raw, ["ni\udcf1o.jpg", "b.jpg"]).images[0].corners) == 3


def annotation(number: int = 0, **values: Any) -> Change:
    return lambda data: data["annotations"][number].update(values)


def image(number: int, **values: Any) -> Change:
    return lambda data: data["images"][number].update(values)


WRONG: dict[str, Change] = {
    "outside on the right": annotation(bbox=[600, 20, 44, 40]),
    "outside on the left": annotation(bbox=[-4, 20, 30, 40]),
    "outside below": annotation(bbox=[0, 470, 30, 13]),
    "an unknown category": annotation(category_id=1),
    "an unknown image": annotation(image_id=1),
    "NaN": annotation(bbox=[1, 2, float("nan"), 4]),
    "infinity": annotation(bbox=[1, 2, float("inf"), 4]),
    "a negative width": annotation(bbox=[50, 50, -10, 10]),
    "three numbers": annotation(bbox=[1, 2, 3]),
    "no box": lambda data: data["annotations"][0].pop("bbox"),
    "the same box twice": annotation(3, bbox=[10, 20, 30.5, 40], category_id=90),
    "the same annotation id": annotation(3, id=1),
    "the same image id": image(2, id=3),
    "the same category id": lambda data: data["categories"][0].update(id=2),
    "the same category": lambda data: data["categories"][0].update(name="bicycle"),
    "a crowd of 2": annotation(iscrowd=2),
    "an image that is not there": image(1, file_name="z.jpg"),
    "two lines for an image": image(2, file_name="a.jpg"),
    "another size": image(1, width=320, height=240),
    "a rotated size": image(1, width=480, height=640),
    "no categories": lambda data: data.update(categories=[]),
    "no images": lambda data: data.pop("images"),
    "a huge category id": lambda data: data["categories"][0].update(id=10**12),
    "a category id beyond 64 bits": lambda data: data["categories"][0].update(id=10**30),
    "captions": annotation(caption="a dog", bbox=None),
    "a list": lambda data: data.update(images={}),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_refused(tmp_path: Path, change: Change) -> None:
    data = content()
    change(data)
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, data)
    assert "instances.json" in refused.value.problem
    assert "\n" not in refused.value.problem
    assert refused.value.remedy


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe\0", b"[" * 100_000, b'{"images": 1e999}'])
def test_other_files(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(DatasetError):
        read(tmp_path, text)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        read_coco(tmp_path / "none.json", tmp_path, FILES, SIZES)


def test_the_message_on_a_box_outside_its_image_has_the_position(tmp_path: Path) -> None:
    data = content()
    data["annotations"][0].update(id=1234, bbox=[600, 20, 50, 40])
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, data)
    assert {1234, 640, 480, 10} <= set(numbers_in(refused.value.problem))


def test_large_images_have_a_wider_tolerance(tmp_path: Path) -> None:
    data = content()
    data["images"][1].update(width=4000, height=3000)
    data["annotations"][0]["bbox"] = [3000, 20, 1019, 40]
    assert len(read(tmp_path, data, sizes=np.array([[4000, 3000], [100, 200]])).images[0].corners) == 3


def test_folders_of_other_images_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(content()))
    files = ["a.jpg", "b.jpg", "new.jpg", "masks/a.png", "train/x.jpg"]
    kept, notes = images_in_coco(path, tmp_path, files)
    assert kept == ["a.jpg", "b.jpg", "new.jpg"]  # which read_coco refuses
    assert numbers_in(notes[0]) == [2]
    for none in (["y.jpg", "z.jpg"], []):
        with pytest.raises(DatasetError):
            images_in_coco(path, tmp_path, none)


def test_whole_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    changed = content()
    for record in [*changed["images"], *changed["annotations"], *changed["categories"]]:
        for name in record.keys() & {"id", "image_id", "category_id", "width", "height"}:
            record[name] = float(record[name])
    whole, floats = read(tmp_path, content()), read(tmp_path, changed)
    assert floats.categories == whole.categories
    for one, other in zip(floats.images, whole.images, strict=True):
        assert one.corners.tolist() == other.corners.tolist()
        assert one.categories.tolist() == other.categories.tolist()
    changed["annotations"][0]["category_id"] = 2.5
    with pytest.raises(DatasetError):
        read(tmp_path, changed)
