"""Detection and segmentation models by others have the quality that a plain interpreter loop has on the same images.

The expected values are from a loop around the interpreter, with pycocotools and a confusion matrix of its own.
"""

from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.analysis.quality.scored import agreement_of_outputs, measures_of
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.run import Run, Settings
from tests.measured import run_files
from tests.models import coco_images, model_file

pytestmark = pytest.mark.slow

#: In percentage points.
TOLERANCE = 0.2
#: Class of PASCAL VOC (21 with the background) of each id of COCO that is one.
VOC_CLASSES = dict(
    zip((5, 2, 16, 9, 44, 6, 3, 17, 62, 21, 67, 18, 19, 4, 1, 64, 20, 63, 7, 72), range(1, 21), strict=True)
)


def percent(run: Run, runtime: str) -> dict[str, float]:
    """All measures of the only variant on a runtime, in percent."""
    (result,) = [each for each in run.results if each.configuration.runtime == runtime]
    assert result.failure is None
    return {each.name: 100 * each.value for each in measures_of(run, result, intervals=False) if each.value is not None}


def measured(name: str, runtimes: list[str], **data: Any) -> Run:
    settings = Settings(trials=1, processes=1, resample=4)  # times are not asserted
    return run_files([model_file(f"{name}.tflite")], Selection(runtimes=runtimes), settings, data=coco_images(), **data)


def masks(folder: Path) -> dict[str, Path]:
    """The options of true masks: COCO's ids that are classes of VOC, everything else is background."""
    lines = ["0 ignore", "* 0", *(f"{value} {number}" for value, number in VOC_CLASSES.items())]
    (folder / "values.txt").write_text("\n".join(lines))
    return {"labels": coco_images() / "masks", "mask_values": folder / "values.txt"}


def ssd(runtimes: list[str]) -> Run:
    labels = coco_images() / "instances.json"
    return measured("coco_ssd_mobilenet_v1_1.0_quant_2018_06_29", runtimes, labels=labels)


def test_ssd_mobilenet_has_the_mean_average_precision_of_a_plain_loop() -> None:
    found = percent(ssd(["litert"]), "litert")
    assert found == pytest.approx({"mAP": 22.08, "mAP@.50": 35.07, "AR@100": 25.81}, abs=TOLERANCE)


@pytest.mark.nightly
def test_ssd_mobilenet_on_tflite_runtime() -> None:
    run = ssd(["litert", "tflite-runtime"])
    found = percent(run, "tflite-runtime")
    assert found == pytest.approx({"mAP": 21.81, "mAP@.50": 34.61, "AR@100": 25.99}, abs=TOLERANCE)
    agreement = agreement_of_outputs(run, run.results[0], run, run.results[1])
    assert agreement is not None
    assert agreement.share == pytest.approx(0.996, abs=0.005)  # of boxes with a score above 0.5
    assert agreement.identical == 0


@pytest.mark.parametrize(
    "runtime", ["litert", pytest.param("tflite-runtime", marks=pytest.mark.nightly)]
)  # fmt: skip
def test_deeplabv3_has_the_mean_iou_of_a_plain_loop(tmp_path: Path, runtime: str) -> None:
    run = measured("deeplabv3", [runtime], **masks(tmp_path))
    assert percent(run, runtime) == pytest.approx({"mean IoU": 36.17, "pixel accuracy": 83.75}, abs=TOLERANCE)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("runtime", "mean_iou", "accuracy"), [("litert", 40.08, 85.14), ("tflite-runtime", 40.37, 85.15)]
)  # fmt: skip
def test_quantized_deeplabv3_has_the_mean_iou_of_a_plain_loop(
    tmp_path: Path, runtime: str, mean_iou: float, accuracy: float
) -> None:
    (tmp_path / "classes.txt").write_text("".join(f"class {number}\n" for number in range(21)))
    options = {"channel_order": "rgb", "classes": tmp_path / "classes.txt", **masks(tmp_path)}
    run = measured("deeplabv3_mnv2_dm05_pascal_quant", [runtime], **options)
    assert percent(run, runtime) == pytest.approx({"mean IoU": mean_iou, "pixel accuracy": accuracy}, abs=TOLERANCE)
