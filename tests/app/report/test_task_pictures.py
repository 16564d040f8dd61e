"""Pictures of boxes on which detectors disagree, and where their images come from."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from edge_bench.app.report.bundle_section import BundleSection, bundle_sections
from edge_bench.app.report.image_source import BundleImages
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.run import Run
from tests.app.report.pages import PI, Outline, words_of
from tests.app.report.task_pages import HOSTILE, decoded, photos, shown
from tests.factories import result, run
from tests.made.graph.output_runs import Row, box_truth, detections, scores, task_run
from tests.made.images import image

SIZES = [(640, 320), (100, 200), (50, 50)]
#: One configuration finds a cat that the other does not, and their dogs differ by a little.
FIRST: list[list[Row]] = [[(64, 32, 320, 160, 0, 0.9), (400, 100, 600, 300, 1, 0.8)], [(10, 20, 60, 120, 1, 0.7)], []]
SECOND: list[list[Row]] = [[(400, 100, 600, 300, 1, 0.4)], [(10, 20, 60, 120, 1, 0.6)], []]
TRUE: list[list[Row]] = [[(70, 40, 310, 150, 0), (0, 0, 600, 300, 1, 1)], [], []]


def detector(*names: str, **how: object) -> Run:
    truth = box_truth(SIZES, names or ("cat", "dog"), *TRUE)
    first, second = (detections(SIZES, *rows, categories=[0, 1]) for rows in (FIRST, SECOND))
    return task_run("detect", first, second, count=3, truth=truth, **how)  # type: ignore[arg-type]


def rectangles(html: str) -> list[dict[str, str]]:
    return [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<rect ([^>]*)>", html)]


def test_boxes_are_drawn_at_their_position_and_true_ones_dashed(tmp_path: Path) -> None:
    html = shown(detector(), data=photos(tmp_path, SIZES))
    pictures = re.findall(r"<svg .*?</svg>", html, re.DOTALL)
    assert len(pictures) == 4  # two images that differ, of two configurations
    assert 'viewBox="0 0 320 160"' in pictures[0]  # half of 640×320
    first, second = rectangles(pictures[0]), rectangles(pictures[1])
    places = [tuple(float(box[side]) for side in ("x", "y", "width", "height")) for box in first]
    # no box of a crowd; the one without a partner is last, on top of the others
    assert places == [(35, 20, 120, 55), (200, 50, 100, 100), (32, 16, 128, 64)]
    assert [("stroke-dasharray" in box) for box in first] == [True, False, False]
    assert float(first[2]["stroke-width"]) > float(first[1]["stroke-width"])
    # the other configuration has the dog with a low score, which is shown as a partner
    assert [(box["x"], "stroke-dasharray" in box) for box in second] == [("35.0", True), ("200.0", False)]
    assert len({box["stroke"] for box in (*first, *second)}) == 3
    assert re.findall(r"<text [^>]*>([^<]*)<", pictures[0]) == ["dog 0.80", "cat 0.90"]
    assert 'viewBox="0 0 100 200"' in pictures[2]  # a small image is not enlarged
    assert "data:image/jpeg;base64," in pictures[0]
    outline = Outline(html)
    assert outline.unnamed == []
    assert all(address.startswith("data:") for address in outline.addresses)


def test_without_images_the_report_says_how_to_see_them() -> None:
    html = shown(detector())
    assert "<svg" not in html
    assert "--data" in html
    assert "no. 0" in words_of(html)
    assert "3 of 4 boxes" in words_of(html)
    assert "--data" not in shown(task_run("regress", scores(np.ones((3, 1))), scores(np.zeros((3, 1))), count=3))


def test_the_names_of_classes_are_text(tmp_path: Path) -> None:
    html = shown(detector(HOSTILE, HOSTILE), data=photos(tmp_path, SIZES))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert {"script", "img"}.isdisjoint(Outline(html).tags)


@pytest.mark.slow
def test_many_boxes_and_boxes_outside_the_image_are_bounded(tmp_path: Path) -> None:
    many = [(x % 90 - 20, -500.0, x % 90 + 100, 900.0, 0, 0.9) for x in range(300)]
    sizes = [(100, 100)] * 40
    first = detections(sizes, *([many] * 40))
    html = shown(task_run("detect", first, detections(sizes, *([[]] * 40)), count=40), data=photos(tmp_path, sizes))
    assert html.count("<li") == 12
    assert html.count("<rect") == 12 * 20
    assert "280 more boxes" in html
    for box in rectangles(html):
        assert float(box["x"]) >= 0
        assert float(box["x"]) + float(box["width"]) <= 100
        assert (box["y"], box["height"]) == ("0.0", "100.0")


def test_the_same_runs_give_the_same_page(tmp_path: Path) -> None:
    folder, whole = photos(tmp_path, SIZES), detector()
    assert shown(whole, data=folder) == shown(whole, data=folder)


def test_damaged_boxes_are_not_comparable() -> None:
    whole = detector()
    outputs = whole.results[1].outputs
    assert isinstance(outputs, Detections)
    damaged = msgspec.structs.replace(outputs, sizes=pack(np.zeros(6, np.int64)))
    results = [whole.results[0], msgspec.structs.replace(whole.results[1], outputs=damaged)]
    assert "not comparable" in shown(msgspec.structs.replace(whole, results=results))


def test_the_pair_that_disagrees_most_is_shown(tmp_path: Path) -> None:
    near = [[(64, 32, 321, 160, 0, 0.9), (400, 100, 600, 300, 1, 0.8)], [(10, 20, 60, 120, 1, 0.7)], []]
    outputs = [detections(SIZES, *rows) for rows in (FIRST, near, SECOND, FIRST)]
    html = shown(task_run("detect", *outputs, count=3), data=photos(tmp_path, SIZES))
    assert html.count("<tr>") == 3  # the heading and two configurations; the fourth has the outputs of the first
    assert "int8" in html.rpartition("<svg")[2]
    assert shown(task_run("detect", outputs[0], outputs[0], count=3)).count("<tr>") == 0


def test_machines_with_other_outputs_are_compared_by_variant(tmp_path: Path) -> None:
    here = task_run("detect", detections(SIZES, *FIRST), count=3)
    there = task_run("detect", detections(SIZES, *SECOND), count=3, on=PI)
    html = shown(here, there, data=photos(tmp_path, SIZES))
    assert "keras · tensorflow on pi" in words_of(html)
    assert html.count("<svg") == 4
    same = shown(here, msgspec.structs.replace(here, run_id="f" * 32, machine=PI))
    assert "<svg" not in same
    assert "same outputs" in same


# -- where images come from


def test_a_folder_with_other_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        shown(detector(), data=photos(tmp_path / "few", SIZES[:2]))
    assert "2 images" in caught.value.problem
    assert "3" in caught.value.problem
    with pytest.raises(BadInput) as caught:
        shown(detector(), data=photos(tmp_path / "other", [(640, 321), *SIZES[1:]]))
    assert "640×321" in caught.value.problem
    with pytest.raises(DatasetError):
        shown(detector(), data=tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError):
        shown(detector(), data=tmp_path / "empty")
    bundled = msgspec.structs.replace(detector().bundle, created="2026-01-01")
    with pytest.raises(BadInput) as caught:
        shown(detector(bundle=bundled), data=photos(tmp_path / "right", SIZES))
    assert "--data" in caught.value.problem


def test_masks_beside_the_images_are_not_taken_for_images(tmp_path: Path) -> None:
    photos(tmp_path / "masks", [(5, 5)] * 3)
    assert shown(detector(), data=photos(tmp_path, SIZES)).count("<svg") == 4


def test_chosen_images_are_found_by_their_numbers(tmp_path: Path) -> None:
    photos(tmp_path, [(9, 9), (640, 320), (9, 9), (100, 200), (50, 50)])
    whole = detector()
    images = msgspec.structs.replace(whole.images, indices=pack(np.array([1, 3, 4])), total_images=5)
    html = shown(msgspec.structs.replace(whole, images=images), data=tmp_path)
    assert "1.png" in html
    assert "0.png" not in html


def test_an_image_that_exif_turns_is_shown_as_it_was_measured(tmp_path: Path) -> None:
    photos(tmp_path, SIZES)
    turned = Image.new("RGB", (320, 640), (200, 0, 0))
    exif = turned.getexif()
    exif[0x0112] = 6
    (tmp_path / "0.png").unlink()
    turned.save(tmp_path / "0.jpg", exif=exif)
    assert 'viewBox="0 0 320 160"' in shown(detector(), data=tmp_path)


def test_images_of_classifiers_can_come_from_a_folder(tmp_path: Path) -> None:
    from edge_bench.app.report.disagreements import disagreements

    for number in range(100):
        image(tmp_path / f"{number:03}.png", number % 10)
    whole = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5, wrong=2))
    (section,) = bundle_sections([whole], [], data=[tmp_path])
    assert str(disagreements(section)).count("data:image/png") == 2
    (section,) = bundle_sections([whole], [])
    assert "--data" in str(disagreements(section))


def test_images_of_a_bundle_have_the_runs_size_and_number() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 3)).astype(np.uint8)
    source = BundleImages(pixels)
    assert source.picture(1, 96, (30, 20))[1:] == (30, 20)
    assert np.array_equal(decoded(source.picture(1, 96).address), pixels[1])
    for index, size in ((3, None), (1, (20, 30))):
        with pytest.raises(BadInput):
            source.picture(index, 96, size)


def test_runs_of_other_tasks_are_in_sections_of_their_own() -> None:
    numbers = task_run("regress", scores(np.ones((3, 1))), count=3)
    found: list[BundleSection] = bundle_sections([detector(), numbers, task_run("detect", count=3)], [])
    assert [section.task for section in found] == ["detect", "regress"]
    assert [len(section.runs) for section in found] == [2, 1]
