"""The files of a generated case: a model, images or arrays, labels, and what a user would state."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.preprocessing.presets import PRESETS
from tests.bench.interpretation.ambiguity import is_ambiguous, preprocessed
from tests.bench.interpretation.generated import Case
from tests.made.tflite_metadata import LabelFile, metadata_buffer, with_files
from tests.made.tflite_models import linear_tflite

__all__ = ["Written", "write_case"]

SIZE = 4


@dataclass(frozen=True)
class Written:
    """The files of a case, with what a user would state."""

    model: Path
    options: DataOptions
    ambiguous: bool


def colours_of(case: Case) -> npt.NDArray[Any]:
    """Return colours that are far from each other, [classes, channels]; grey ones are 18 levels apart."""
    generator = np.random.default_rng(case.seed)
    grid = np.array([(r, g, b) for r in range(12, 256, 46) for g in range(12, 256, 46) for b in range(12, 256, 46)])
    if case.channels == 1:
        return generator.permutation(np.arange(6, 256, 17))[: len(case.names), None]
    return generator.permutation(grid)[: len(case.names)]


def write_case(case: Case, folder: Path) -> Written:
    """Write the model and the data into a folder."""
    colours = colours_of(case)
    generator = np.random.default_rng(case.seed + 1)
    jitter = generator.integers(-3, 4, len(case.images))[:, None]
    pixels = np.clip(colours[case.images] + jitter, 0, 255).astype(np.uint8)
    targets = preprocessed(colours.astype(float), case.preset, bgr=case.bgr)
    weights, biases = _dense(case, targets)
    model = folder / "model.tflite"
    model.write_bytes(_model(case, weights, biases))
    options = _stated(case, folder)
    stored = np.broadcast_to(pixels[:, None, None, :], (len(pixels), SIZE, SIZE, case.channels))
    options |= _data(case, folder, stored, generator)
    stated = DataOptions(**options)
    return Written(model, stated, ambiguous=is_ambiguous(case, pixels, targets, stated))


def _dense(case: Case, targets: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return weights and biases that score an output by the distance of the mean to its class."""
    pixels = SIZE * SIZE
    by_channel = np.zeros((case.channels, case.count))
    biases = np.full(case.count, -1e7)
    by_channel[:, case.outputs] = 2 * targets.T
    biases[case.outputs] = -(targets**2).sum(axis=1)
    each = np.repeat(by_channel, pixels, axis=0) if case.layout == "first" else np.tile(by_channel, (pixels, 1))
    return (each / pixels).astype(np.float32), biases.astype(np.float32)


def _model(case: Case, weights: npt.NDArray[Any], biases: npt.NDArray[Any]) -> bytes:
    shape = {"last": (1, SIZE, SIZE, case.channels), "first": (1, case.channels, SIZE, SIZE), "none": (1, SIZE, SIZE)}
    lowest, highest = {"raw": (0, 255), "unit": (0, 1), "imagenet-tf": (-1, 1)}.get(case.preset, (0, 1))
    quantized: dict[str, Any] = {}
    if case.kind != "FLOAT32":
        scale = (highest - lowest) / 255
        bottom = -128 if case.kind == "INT8" else 0
        quantized = {"kind": case.kind, "scale": scale, "zero_point": round(bottom - lowest / scale)}
    labels, metadata = {"metadata labels", "metadata pixels"} & case.states, None
    if labels and not case.bgr:
        known = PRESETS[case.preset]
        scales = np.atleast_1d(np.asarray(known.scale, float))
        offsets = np.broadcast_to(np.asarray(known.offset, float), scales.shape)
        normalization = [((-offsets / scales).tolist(), (1 / scales).tolist())]
        metadata = metadata_buffer(
            normalization if "metadata pixels" in labels else [],
            [[LabelFile("names.txt")] if "metadata labels" in labels else []],
            color_space=1 if case.channels == 3 else 2,
        )
    content = linear_tflite(weights, biases, shape[case.layout], metadata=metadata, **quantized)
    if metadata is None or "metadata labels" not in labels:
        return content
    return with_files(content, {"names.txt": "\n".join(_output_names(case)).encode()})


def _output_names(case: Case) -> list[str]:
    names = [f"nothing {output}" for output in range(case.count)]
    for name, output in zip(case.names, case.outputs, strict=True):
        names[output] = name
    return names


def _stated(case: Case, folder: Path) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if "preprocessing" in case.states:
        options["preprocess"] = case.preset
        if case.channels == 3:
            options["channel_order"] = "bgr" if case.bgr else "rgb"
    if "classes" in case.states and case.source == "folders":
        options["classes"] = folder / "classes.txt"
        options["classes"].write_text("\n".join(_output_names(case)) + "\n")
        options["label_offset"] = 0
    if "offset" in case.states and "classes" not in options and case.source != "folders":
        options["label_offset"] = int(case.outputs[0] - case.numbers[0]) if not case.shuffled else None
    return options


def _data(case: Case, folder: Path, stored: npt.NDArray[Any], generator: np.random.Generator) -> dict[str, Any]:
    data = folder / "data"
    if case.source == "array":
        images = stored.transpose(0, 3, 1, 2) if case.layout == "first" else stored
        np.save(folder / "x.npy", images[..., 0] if case.layout == "none" else images)
        np.save(folder / "y.npy", case.numbers[case.images])
        return {"data": folder / "x.npy", "labels": folder / "y.npy"}
    if case.source == "folders":
        for name in case.names:
            if name in {case.names[label] for label in case.images}:
                (data / name).mkdir(parents=True)
        for number, (label, image) in enumerate(zip(case.images, stored, strict=True)):
            _save(data / case.names[label] / f"{number}.bmp", image)
        return {"data": data}
    data.mkdir()
    lines = []
    for number in generator.permutation(len(stored)):
        name = f"shot {number} (1).bmp"
        _save(data / name, stored[number])
        lines.append((name, str(case.numbers[case.images[number]])))
    (folder / "labels.txt").write_bytes(_FORMS[case.text](lines))
    return {"data": data, "labels": folder / "labels.txt"}


def _save(path: Path, image: npt.NDArray[Any]) -> None:
    Image.fromarray(np.ascontiguousarray(image[..., 0] if image.shape[2] == 1 else image)).save(path)


Lines = list[tuple[str, str]]


def _table(lines: Lines, separator: str, quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting).writerows(lines)  # type: ignore[arg-type]
    return text.getvalue()


_FORMS: dict[str, Callable[[Lines], bytes]] = {
    "blank": lambda lines: "".join(f"{name} {label}\n" for name, label in lines).encode(),
    "comma": lambda lines: _table(lines, ",").encode(),
    "tab": lambda lines: _table(lines, "\t").encode(),
    "bom": lambda lines: _table(lines, ",").encode("utf-8-sig"),
    "quoted": lambda lines: _table(lines, ";", csv.QUOTE_ALL).encode(),
    "header": lambda lines: _table([("file", "label"), *lines], ",").encode(),
}
