"""Random models and data, right by construction, that are to be interpreted: each class is a colour.

A model of one dense layer finds the class whose colour is nearest to the mean of the image. Every image has one colour,
close to that of its class. So the right interpretation classifies all images correctly.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.preprocessing.presets import PRESETS
from tests.made.brightness import linear_tflite
from tests.tflite_files import LabelFile, metadata_buffer, with_files

__all__ = ["Case", "cases", "write_case"]

SIZE = 4
#: Images by which the right interpretation beats each other one in a case that must not be refused.
CLEARLY = 25
WORDS = [
    "ant", "bee", "cow", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay", "kiwi", "lion", "mole", "newt", "owl", "pig",
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A model and its data, before they are written.

    outputs: of each class, [classes]; present: whether a class has images
    colours: [classes, 3]; images: class of each image, [images]
    """

    seed: int
    channels: int
    layout: str  # last · first · none (grey only)
    preset: str
    bgr: bool
    kind: str  # of the model's input: FLOAT32 · UINT8 · INT8
    outputs: np.ndarray
    count: int  # outputs of the model
    names: list[str]
    present: np.ndarray
    images: np.ndarray
    source: str  # of labels: folders · file · array
    states: frozenset[str]  # preprocessing · classes · offset · order · metadata labels · metadata pixels
    text: str  # form of the labels file

    @property
    def words(self) -> bool:
        """Whether the names of the classes have no numbers."""
        return not any(character.isdigit() for character in "".join(self.names))


@dataclass
class Written:
    """The files of a case, with what a user would state."""

    model: Path
    options: DataOptions
    ambiguous: bool
    notes: list[str] = field(default_factory=list)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case."""
    channels = draw(st.sampled_from([1, 3]))
    classes = draw(st.integers(2, 14))
    preset = draw(st.sampled_from(["raw", "unit", "imagenet-tf", *(["imagenet-torch"] if channels == 3 else [])]))
    naming = draw(st.sampled_from(["digits", "padded", "prefixed", "words"]))
    first = draw(st.sampled_from([0, 0, 1])) if naming != "words" else 0
    extra = draw(st.integers(0, 2))
    offset = draw(st.integers(0, min(extra, 1))) - first  # other offsets must be stated
    ranks = np.arange(classes)
    source = draw(st.sampled_from(["folders", "folders", "file", "array"]))
    shuffled = naming == "words" and source == "folders" and draw(st.integers(0, 3)) == 0
    order = np.array(draw(st.permutations(range(classes)))) if shuffled else ranks
    numbers = ranks + first
    names = {
        "digits": [str(number) for number in numbers],
        "padded": [f"{number:03}" for number in numbers],
        "prefixed": [f"class-{number}" for number in numbers],
        "words": WORDS[:classes],
    }[naming]
    present = np.ones(classes, bool)
    for missing in draw(st.lists(st.integers(0, classes - 1), max_size=2)):
        present[missing] = False
    if present.sum() < 2:
        present[:2] = True
    each = draw(st.integers(1, 14))
    kind = draw(st.sampled_from(["FLOAT32", "FLOAT32", "UINT8", "INT8"]))
    if kind != "FLOAT32" and preset == "imagenet-torch":
        preset = "unit"
    states = draw(
        st.sets(
            st.sampled_from(["preprocessing", "classes", "offset", "metadata labels", "metadata pixels"]), max_size=2
        )
    )
    return Case(
        seed=draw(st.integers(0, 2**32 - 1)),
        channels=channels,
        layout=draw(st.sampled_from(["last", "first"] if channels == 3 else ["last", "first", "none"])),
        preset=preset,
        bgr=channels == 3 and draw(st.booleans()),
        kind=kind,
        outputs=(order if naming == "words" else numbers) + offset,
        count=classes + extra,
        names=names,
        present=present,
        images=np.repeat(np.flatnonzero(present), each),
        source=source,
        states=frozenset(states),
        text=draw(st.sampled_from(["blank", "comma", "tab", "bom", "quoted", "header"])),
    )


def colours_of(case: Case) -> np.ndarray:
    """Return colours that are far from each other, [classes, channels]; grey ones are 18 levels apart."""
    generator = np.random.default_rng(case.seed)
    grid = np.array([(r, g, b) for r in range(12, 256, 46) for g in range(12, 256, 46) for b in range(12, 256, 46)])
    if case.channels == 1:
        return generator.permutation(np.arange(6, 256, 17))[: len(case.names), None]
    return generator.permutation(grid)[: len(case.names)]


def preprocessed(pixels: np.ndarray, preset: str, *, bgr: bool) -> np.ndarray:
    """Return values [n, channels] as a preset makes them; values of colours stay with their colours."""
    known = PRESETS[preset]
    scale, offset = (
        np.broadcast_to(np.asarray(value, float), pixels.shape[1]) for value in (known.scale, known.offset)
    )
    if known.channel_order == "bgr":
        pixels, bgr = pixels[:, ::-1], not bgr
    values = pixels * scale + offset
    return values[:, ::-1] if bgr else values


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
    written = Written(model, DataOptions(**options), ambiguous=False)
    written.ambiguous = _is_ambiguous(case, pixels, targets, written.options)
    return written


def _dense(case: Case, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases that score an output by the distance of the mean to its class."""
    pixels = SIZE * SIZE
    by_channel = np.zeros((case.channels, case.count))
    biases = np.full(case.count, -1e7)
    by_channel[:, case.outputs] = 2 * targets.T
    biases[case.outputs] = -(targets**2).sum(axis=1)
    each = np.repeat(by_channel, pixels, axis=0) if case.layout == "first" else np.tile(by_channel, (pixels, 1))
    return (each / pixels).astype(np.float32), biases.astype(np.float32)


def _model(case: Case, weights: np.ndarray, biases: np.ndarray) -> bytes:
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
        options["label_offset"] = int(case.outputs[0] - _numbers(case)[0]) if not _shuffled(case) else None
    return options


def _numbers(case: Case) -> np.ndarray:
    """Return the number of each class in a labels file: its name's, or its rank."""
    if case.words:
        return np.arange(len(case.names))
    return np.array([int("".join(filter(str.isdigit, name))) for name in case.names])


def _shuffled(case: Case) -> bool:
    return bool((np.diff(case.outputs) != 1).any())


def _data(case: Case, folder: Path, stored: np.ndarray, generator: np.random.Generator) -> dict[str, Any]:
    data = folder / "data"
    if case.source == "array":
        images = stored.transpose(0, 3, 1, 2) if case.layout == "first" else stored
        np.save(folder / "x.npy", images[..., 0] if case.layout == "none" else images)
        np.save(folder / "y.npy", _numbers(case)[case.images])
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
        lines.append((name, str(_numbers(case)[case.images[number]])))
    (folder / "labels.txt").write_bytes(_FORMS[case.text](lines))
    return {"data": data, "labels": folder / "labels.txt"}


def _save(path: Path, image: np.ndarray) -> None:
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


def _is_ambiguous(case: Case, pixels: np.ndarray, targets: np.ndarray, options: DataOptions) -> bool:
    """Return whether the case may be refused: an order of words is not stated, or labels do not separate candidates.

    This looks at every preset, order of channels and offset, by brute force with numpy.
    """
    names_known = options.classes is not None or (
        "metadata labels" in case.states and not case.bgr and case.source == "folders"
    )
    if case.source == "folders" and not names_known:
        if case.words and (_shuffled(case) or not case.present.all() or case.count > len(case.names)):
            return True
        if case.words is False and len(case.images) < CLEARLY:
            return True
    moved = int(case.outputs[0] - _numbers(case)[0])
    if abs(moved) > 1 and not names_known and options.label_offset is None:
        return True  # only offsets by one are tried
    if _shuffled(case) and not names_known:
        return True  # numbers of a labels file that are not the outputs' numbers
    return not _separated(case, pixels, targets)


def _separated(case: Case, pixels: np.ndarray, targets: np.ndarray) -> bool:
    right = case.outputs[case.images]
    tables = [_numbers(case)]
    if case.source == "folders":
        shown = np.flatnonzero(np.bincount(case.images, minlength=len(case.names)))
        by_name = sorted(shown, key=lambda label: case.names[label])
        by_number = sorted(shown, key=lambda label: int(_numbers(case)[label]))
        for ranked in (by_name, by_number):
            table = np.zeros(len(case.names), int)
            table[ranked] = np.arange(len(ranked))
            tables.append(table)
    maps = [table[case.images] + moved for table in tables for moved in (-1, 0, 1)]
    for preset in PRESETS:
        if case.channels == 1 and isinstance(PRESETS[preset].offset, list):
            continue
        for bgr in (False, True):
            values = preprocessed(pixels.astype(float), preset, bgr=bgr)
            predicted = case.outputs[(2 * values @ targets.T - (targets**2).sum(axis=1)).argmax(axis=1)]
            for labels in (right, *maps):
                correct = int(np.count_nonzero(predicted == labels))
                if len(right) - CLEARLY < correct < len(right):
                    return False
    return True
