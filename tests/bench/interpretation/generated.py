"""Random models and data, right by construction, that are to be interpreted: each class is a colour.

A model of one dense layer finds the class whose colour is nearest to the mean of the image. Every image has one colour,
close to that of its class. So the right interpretation classifies all images correctly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

__all__ = ["Case", "cases"]

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
    outputs: npt.NDArray[Any]
    count: int  # outputs of the model
    names: list[str]
    present: npt.NDArray[Any]
    images: npt.NDArray[Any]
    source: str  # of labels: folders · file · array
    states: frozenset[str]  # preprocessing · classes · offset · order · metadata labels · metadata pixels
    text: str  # form of the labels file

    @property
    def words(self) -> bool:
        """Whether the names of the classes have no numbers."""
        return not any(character.isdigit() for character in "".join(self.names))

    @property
    def numbers(self) -> npt.NDArray[Any]:
        """The number of each class in a labels file: its name's, or its rank."""
        if self.words:
            return np.arange(len(self.names))
        return np.array([int("".join(filter(str.isdigit, name))) for name in self.names])

    @property
    def shuffled(self) -> bool:
        """Whether the outputs are in another order than the names."""
        return bool((np.diff(self.outputs) != 1).any())


@st.composite
def _names_and_outputs(draw: st.DrawFn, classes: int, extra: int, source: str) -> tuple[list[str], npt.NDArray[Any]]:
    """Draw the names of the classes, and the output of each."""
    naming = draw(st.sampled_from(["digits", "padded", "prefixed", "words"]))
    first = draw(st.sampled_from([0, 0, 1])) if naming != "words" else 0
    offset = draw(st.integers(0, min(extra, 1))) - first  # other offsets must be stated
    shuffled = naming == "words" and source == "folders" and draw(st.integers(0, 3)) == 0
    order = np.array(draw(st.permutations(range(classes)))) if shuffled else np.arange(classes)
    numbers = np.arange(classes) + first
    names = {
        "digits": [str(number) for number in numbers],
        "padded": [f"{number:03}" for number in numbers],
        "prefixed": [f"class-{number}" for number in numbers],
        "words": WORDS[:classes],
    }[naming]
    return names, (order if naming == "words" else numbers) + offset


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a case."""
    channels = draw(st.sampled_from([1, 3]))
    classes = draw(st.integers(2, 14))
    preset = draw(st.sampled_from(["raw", "unit", "imagenet-tf", *(["imagenet-torch"] if channels == 3 else [])]))
    source = draw(st.sampled_from(["folders", "folders", "file", "array"]))
    extra = draw(st.integers(0, 2))
    names, outputs = draw(_names_and_outputs(classes, extra, source))
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
        outputs=outputs,
        count=classes + extra,
        names=names,
        present=present,
        images=np.repeat(np.flatnonzero(present), each),
        source=source,
        states=frozenset(states),
        text=draw(st.sampled_from(["blank", "comma", "tab", "bom", "quoted", "header"])),
    )
