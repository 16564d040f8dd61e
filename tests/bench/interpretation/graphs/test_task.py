"""The task of a run: stated, told by true values, or told by the models."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.interpretation.graphs.task import infer_task, stated_task
from edge_bench.bench.records.interpretation import Source
from tests.made.graph.graph_models import brightness_detector, colour_segmenter, regressor
from tests.made.graph.graph_workloads import opened
from tests.made.tflite_models import brightness_tflite, detection_model


def task_of(*models: Path, options: DataOptions | None = None) -> tuple[str, Source]:
    stated = options or DataOptions()
    choice = infer_task(opened(models, stated), stated)
    return choice.name, choice.interpretation.source


def test_tasks_recognized_from_models(tmp_path: Path) -> None:
    assert task_of(brightness_tflite(tmp_path / "c.tflite", [0, 1])) == ("classify", Source.MODEL)
    assert task_of(regressor(tmp_path / "one.tflite")) == ("classify", Source.MODEL)  # a single score, as always
    assert task_of(detection_model(tmp_path / "d.tflite")) == ("detect", Source.MODEL)
    assert task_of(colour_segmenter(tmp_path / "s.tflite")) == ("tensor", Source.DEFAULT)
    assert task_of(brightness_detector(tmp_path / "o.tflite")) == ("tensor", Source.DEFAULT)


def test_models_of_different_tasks_are_refused_unless_one_is_stated(tmp_path: Path) -> None:
    both = brightness_tflite(tmp_path / "c.tflite", [0, 1]), detection_model(tmp_path / "d.tflite")
    with pytest.raises(BadInput):
        task_of(*both)
    assert task_of(*both, options=DataOptions(task="tensor")) == ("tensor", Source.STATED)


def test_tasks_recognized_from_true_values(tmp_path: Path) -> None:
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "a.txt").write_text("0 .5 .5 .1 .1\n")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.png").write_bytes(b"")
    (tmp_path / "masks" / "classes.txt").write_text("a\n")
    (tmp_path / "truth.json").write_text("{}")
    np.save(tmp_path / "classes.npy", np.arange(3))
    np.save(tmp_path / "one_hot.npy", np.eye(3))
    np.save(tmp_path / "sets.npy", np.ones((3, 3)))
    np.save(tmp_path / "fractions.npy", np.array([1.5, 2, 3]))
    (tmp_path / "labels.csv").write_text("file,label,score\na.png,1,0.5\nb.png,2,0.25\n")
    (tmp_path / "numbers.csv").write_text("file,width,height\na.png,1,0.5\nb.png,2,0.25\n")
    expected = {
        "boxes": "detect", "masks": "segment", "truth.json": "detect", "classes.npy": None, "one_hot.npy": None,
        "sets.npy": "multilabel", "fractions.npy": "regress", "labels.csv": None, "numbers.csv": "regress",
    }  # fmt: skip
    for name, task in expected.items():
        choice = stated_task(DataOptions(labels=tmp_path / name))
        assert (choice and choice.name) == task, name


def test_a_folder_of_both_kinds_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "a.txt").write_text("")
    (tmp_path / "both" / "a.png").write_bytes(b"")
    for name in ("both", "nowhere.npy"):
        with pytest.raises(DatasetError):
            stated_task(DataOptions(labels=tmp_path / name))
    with pytest.raises(BadInput):
        stated_task(DataOptions(task="pose"))


@pytest.mark.parametrize(
    "options",
    [
        DataOptions(head="yolov5", task="tensor"),
        DataOptions(mask_values=Path("x"), task="regress"),
        DataOptions(ranges=("t0=0..1",), task="classify"),
        DataOptions(crop=0.5, task="detect"),
    ],
)
def test_options_of_other_tasks_are_refused(tmp_path: Path, options: DataOptions) -> None:
    with pytest.raises(BadInput):
        task_of(brightness_tflite(tmp_path / "c.tflite", [0, 1]), options=options)


def test_true_values_for_outputs_without_a_meaning_need_a_task(tmp_path: Path) -> None:
    np.save(tmp_path / "classes.npy", np.arange(3))
    with pytest.raises(BadInput) as caught:
        task_of(colour_segmenter(tmp_path / "s.tflite"), options=DataOptions(labels=tmp_path / "classes.npy"))
    assert "--task" in caught.value.remedy
