"""Outputs of examples, read as boxes, masks, values and numbers."""

import numpy as np
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.decoding import BoxDecoding, MaskDecoding, ScoreDecoding, TensorDecoding
from edge_bench.bench.records.outputs.masks import unpacked_mask
from edge_bench.bench.records.outputs.scores import ScoreTable
from edge_bench.bench.records.outputs.tensors import unpack_values
from edge_bench.bench.tasks.detection.packed import unpack_boxes
from edge_bench.bench.worker.graphs.decoders import decoder_for

SIZES = np.array([[640, 320], [100, 300]])


def spec(*shape: int, dtype: str = "float32", scale: float = 0, zero_point: int = 0) -> TensorSpec:
    return TensorSpec(name="y", dtype=dtype, shape=list(shape), scale=scale, zero_point=zero_point)


FOUR = [spec(1, 3, 4), spec(1, 3), spec(1, 3), spec(1)]


def test_boxes_after_postprocessing_are_in_pixels_of_each_image() -> None:
    decoding = BoxDecoding(
        form="postprocess", order="boxes,classes,scores,number", input_size=(300, 300), sizes=pack(SIZES.ravel())
    )
    decoder = decoder_for(decoding, FOUR, 2)
    share = np.array([[0.25, 0.5, 0.75, 1.0], [0, 0, 1, 1], [np.nan, 0, 1, 1]], np.float32)  # top, left, bottom, right
    scores = np.array([0.9, 0.5, 0.4], np.float32)
    for count in (3, 1):
        outputs = [share, np.array([7, 1, 0], np.float32), scores, np.array(count, np.float32)]
        decoder.store(decoder.decode(outputs))
    found = decoder.result()
    assert isinstance(found, Detections)
    assert (found.not_finite, found.beyond_limit, decoder.has_postprocess) == (1, 0, True)
    first, second = unpack_boxes(found.boxes, SIZES)
    np.testing.assert_allclose(first.corners, [[320, 80, 640, 240], [0, 0, 640, 320]], atol=0.001)
    np.testing.assert_allclose(second.corners, [[50, 75, 100, 225]], atol=0.001)
    assert (first.classes.tolist(), second.classes.tolist()) == ([7, 1], [7])


def test_a_head_of_yolo_is_decoded_with_its_borders_taken_off() -> None:
    decoding = BoxDecoding(
        form="yolo", boxes_first=True, objectness=True, classes=2, letterbox=True, input_size=(320, 320),
        sizes=pack(SIZES.ravel()),
    )  # fmt: skip
    decoder = decoder_for(decoding, [spec(1, 1, 7)], 2)
    # the whole image of 640×320: half as large, in the middle
    whole = np.array([[[0.5, 0.5, 1.0, 0.5, 1.0, 0.0, 0.75]]], np.float32)
    decoder.store(decoder.decode([whole]))
    decoder.store(decoder.decode([whole[0] * 0]))
    found = decoder.result()
    assert isinstance(found, Detections)
    first, second = unpack_boxes(found.boxes, SIZES)
    np.testing.assert_allclose(first.corners, [[0, 0, 640, 320]], atol=0.001)
    assert (first.classes.tolist(), first.scores.tolist(), len(second.scores)) == ([1], [0.75], 0)


@pytest.mark.parametrize(
    "decoding",
    [
        BoxDecoding(form="postprocess", order="boxes,classes,scores,number", sizes=pack(SIZES.ravel()[:2])),
        BoxDecoding(form="postprocess", order="boxes,classes,scores,number"),
        BoxDecoding(form="postprocess", order="boxes,classes", sizes=pack(SIZES.ravel())),
        BoxDecoding(form="yolo", output=4, sizes=pack(SIZES.ravel())),
        ScoreDecoding(output=4),
        MaskDecoding(output=4, classes=2, axis="last"),
    ],
)
def test_settings_that_do_not_fit_the_model_are_refused(decoding: BoxDecoding) -> None:
    with pytest.raises((ValueError, BadInput)):
        decoder_for(decoding, FOUR, 2)


def test_masks_are_the_best_class_of_each_pixel() -> None:
    classes = np.array([[0, 2, 1], [2, 2, 0]], np.uint16)
    scores = np.eye(3, dtype=np.float32)[classes]
    for axis, output in (("last", scores), ("first", scores.transpose(2, 0, 1)), ("none", classes.astype(np.int64))):
        decoder = decoder_for(MaskDecoding(classes=3, axis=axis), [spec(1)], 1)  # type: ignore[arg-type]
        for each in (output, output[np.newaxis]):
            mask = decoder.store(decoder.decode([each]))
            assert mask is not None
            np.testing.assert_array_equal(unpacked_mask(mask), classes)
        assert decoder.result() is None


def test_values_keep_their_precision() -> None:
    for output, expected in (
        (np.array([2**40 + 1, -1]), [2**40 + 1, -1]),
        (np.array([True, False]), [1, 0]),
        (np.array([[0.1], [0.2]]), [0.1, 0.2]),
    ):
        decoder = decoder_for(ScoreDecoding(), [spec(1, dtype=output.dtype.name)], 2)
        for _ in range(2):
            decoder.store(decoder.decode([output]))
        table = decoder.result()
        assert isinstance(table, ScoreTable)
        assert (table.columns, unpack_values(table.values).tolist()) == (2, expected * 2)
        with pytest.raises(ValueError, match="3"):
            decoder.store(decoder.decode([np.zeros(3, output.dtype)]))


def test_too_many_values_are_refused_before_they_are_kept() -> None:
    decoder = decoder_for(ScoreDecoding(), [spec(1)], 100_000)
    with pytest.raises(ValueError, match="1,000"):
        decoder.store(decoder.decode([np.zeros(1_000, np.float32)]))
    assert not decoder_for(TensorDecoding(), [spec(1)], 1).has_postprocess
