"""Candidates for the preprocessing: from options, files and data, and those to be tested."""

from typing import Any

import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.candidates import Candidates, ImageFacts, preprocessing_candidates
from edge_bench.bench.model_formats.tflite_metadata import InputNormalization, ModelMetadata
from edge_bench.bench.records.interpretation import Source
from edge_bench.bench.records.manifest import TensorSpec

GREY = ImageFacts(pixels=True, channels=1, grey=True)
COLOUR = ImageFacts(pixels=True, channels=3, grey=False)
FLOAT = TensorSpec(dtype="float32", shape=[1, 8, 8, 1])


def candidates(
    spec: TensorSpec = FLOAT, facts: ImageFacts = GREY, metadata: ModelMetadata | None = None, **options: Any
) -> Candidates:
    return preprocessing_candidates(spec, metadata, DataOptions(**options), facts)


def quantized(dtype: str, scale: float, zero_point: int) -> TensorSpec:
    return TensorSpec(dtype=dtype, shape=[1, 8, 8, 1], scale=scale, zero_point=zero_point)


def normalized(mean: float, std: float, color_space: str = "") -> ModelMetadata:
    return ModelMetadata(InputNormalization((mean,), (std,)), None, color_space, "")


def numbers(found: Candidates) -> list[tuple[Any, Any]]:
    return [(item.preprocessing.scale, item.preprocessing.offset) for item in found.options]


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [
        ("uint8", 1 / 255, 0),
        ("uint8", 1 / 128, 128),
        ("uint8", 2 / 255, 127),
        ("int8", 1.0, -128),
        ("int8", 1 / 256, -128),
    ],
)
def test_pixels_are_stored_unchanged_if_the_steps_are_the_pixels(dtype: str, scale: float, zero_point: int) -> None:
    found = candidates(quantized(dtype, scale, zero_point))

    lowest = -128 if dtype == "int8" else 0
    assert numbers(found) == [(scale, (lowest - zero_point) * scale)]
    assert found.source is Source.MODEL


@pytest.mark.parametrize("scale", [1 / 127, 1 / 128, 2 / 255])
def test_a_symmetric_input_may_be_for_values_from_0_to_1(scale: float) -> None:
    found = candidates(quantized("int8", scale, 0))

    assert (1 / 255, 0.0) in numbers(found)
    assert (scale, -128 * scale) in numbers(found)
    assert found.source is Source.DEFAULT


def test_metadata_decides_unless_it_contradicts_the_quantization() -> None:
    assert numbers(candidates(metadata=normalized(127.5, 127.5))) == [(1 / 127.5, -1.0)]
    contradicted = candidates(quantized("uint8", 1 / 255, 0), metadata=normalized(0, 1))
    assert numbers(contradicted) == [(1 / 255, 0.0), (1.0, 0.0)]
    assert contradicted.source is Source.DEFAULT


@pytest.mark.parametrize("stated", [{"preprocess": "imagenet-tf"}, {"scale": [1 / 127.5], "offset": [-1.0]}])
def test_stated_pixels_that_are_the_steps_are_not_rounded_twice(stated: dict[str, Any]) -> None:
    found = candidates(quantized("uint8", 1 / 128, 128), **stated)

    assert numbers(found) == [(1 / 128, -1.0)]
    assert found.source is Source.STATED


def test_float_values_are_never_rescaled() -> None:
    found = candidates(quantized("uint8", 1 / 255, 0), ImageFacts(pixels=False, channels=1, grey=True))

    assert numbers(found) == [(1.0, 0.0)]


@pytest.mark.parametrize(
    ("options", "orders"),
    [
        ({"preprocess": "unit"}, {"rgb", "bgr"}),
        ({"preprocess": "imagenet-torch"}, {"rgb"}),
        ({"preprocess": "imagenet-caffe"}, {"bgr"}),
        ({"preprocess": "unit", "channel_order": "bgr"}, {"bgr"}),
        ({"scale": [0.5]}, {"rgb", "bgr"}),
    ],
)
def test_the_order_of_channels_is_in_question_unless_it_is_stated(options: dict[str, Any], orders: set[str]) -> None:
    found = candidates(facts=COLOUR, **options)

    assert {item.preprocessing.channel_order for item in found.options} == orders


def test_values_of_colours_stay_with_their_colours_in_another_order() -> None:
    (found,) = candidates(facts=COLOUR, preprocess="imagenet-torch", channel_order="bgr").options

    assert found.preprocessing.scale == pytest.approx([1 / 255 / sd for sd in (0.225, 0.224, 0.229)])


@pytest.mark.parametrize("options", [{"preprocess": "imagenet-torch"}, {"scale": [1.0, 2.0]}])
def test_preprocessings_for_another_number_of_channels_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        candidates(**options)
