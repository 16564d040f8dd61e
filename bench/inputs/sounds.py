"""Folders of .wav files by class, as examples of one input."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.listing.walk import find_images
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.inputs.specs import GraphInputs, InputSpec, combined_digest, shown_shape
from edge_bench.bench.inputs.stored import stored_rows
from edge_bench.bench.inputs.wav_files import Sound, read_wav
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.io.names import recordable
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["SoundList", "list_sounds", "load_sounds"]

SUFFIXES = frozenset({".wav"})
#: Maximum number of samples per channel of an example: more than 20 minutes at 48 kHz.
MAX_SAMPLES = 1 << 26


@dataclass(frozen=True)
class SoundList:
    """Sound files in a fixed order: by class and name, or by name."""

    folder: Path
    files: tuple[str, ...]  # relative to ``folder``, separated by slashes
    labels: tuple[int, ...] | None  # index in ``classes`` of each file; None: the folder has no subfolders
    classes: tuple[str, ...]  # sorted; the model's output of each is unknown
    notes: tuple[str, ...]


def list_sounds(folder: Path) -> SoundList:
    """List the .wav files below a folder, one subfolder per class, or all in the folder itself.

    Raise DatasetError if there are none, or some outside the subfolders.
    """
    found = find_images(folder, SUFFIXES)
    if not found.files:
        raise DatasetError(
            f"{folder}: no .wav files in this folder", "use a folder of .wav files, or one folder per class"
        )
    notes = []
    if found.others:
        notes.append(f"{folder.name}: ignored {counted(found.others, 'file')} without the suffix .wav")
    if found.dangling or found.loops:
        notes.append(f"{folder.name}: ignored links without a target: {abbreviate(found.dangling + found.loops)}")
    outside = [name for name in found.files if "/" not in name]
    if len(outside) == len(found.files):
        return SoundList(folder, tuple(found.files), None, (), tuple(notes))
    if outside:
        raise DatasetError(
            f"{folder}: {counted(len(outside), 'sound')} outside the folders of classes, such as {outside[0]}",
            "move each sound into the folder of its class",
        )
    owners = [name.split("/", 1)[0] for name in found.files]
    classes = sorted(set(owners))
    if empty := sorted(set(found.folders) - set(classes)):
        raise DatasetError(
            f"{folder / empty[0]}: no .wav files, so it is unclear whether it is a class",
            "move it elsewhere, or add sounds to it",
        )
    index = {name: number for number, name in enumerate(classes)}
    labels = tuple(index[owner] for owner in owners)
    return SoundList(folder, tuple(found.files), labels, tuple(map(recordable, classes)), tuple(notes))


def load_sounds(sounds: SoundList, spec: InputSpec, rate: int) -> GraphInputs:
    """Decode sounds to an array of float32, [sounds, …], stored in the cache.

    spec: an input of float32 with one axis of samples, and optionally one of size 1 or of two channels
    rate: samples per second that the model takes. A file with another rate is refused, not resampled
    Longer sounds are cut at the end, shorter ones padded with zeros at the end. The channels of a file are averaged for
    a model that takes one. Raise DatasetError for the first file that does not fit, BadInput if the input takes no
    sounds.
    """
    shape = spec.known_shape
    samples, channels, first = _layout(spec, shape)
    cut = padded = mixed = 0

    def rows() -> Iterator[npt.NDArray[Any]]:
        nonlocal cut, padded, mixed
        for name in sounds.files:
            sound = read_wav(sounds.folder / name, samples)
            values = _fitted(sound, channels, rate, sounds.folder / name)
            cut, padded = cut + (sound.total > samples), padded + (sound.total < samples)
            mixed += sound.samples.shape[1] > channels
            row = np.zeros((samples, channels), np.float32)
            row[: len(values)] = values
            yield (row.T if first else row).reshape(1, *shape)

    path = stored_rows("sounds", (len(sounds.files), *shape), spec.type, rows())
    notes = [
        f"{sounds.folder.name}: {counted(len(sounds.files), 'sound')} at {rate:,} Hz, {counted(samples, 'sample')} each"
    ]
    if cut:
        notes.append(f"{sounds.folder.name}: cut {counted(cut, 'longer sound')} at the end")
    if padded:
        notes.append(f"{sounds.folder.name}: padded {counted(padded, 'shorter sound')} with zeros at the end")
    if mixed:
        notes.append(f"{sounds.folder.name}: averaged the channels of {counted(mixed, 'sound')}")
    return GraphInputs(
        arrays={spec.name: path},
        shapes={spec.name: shape},
        examples=len(sounds.files),
        sha256=combined_digest([(spec.name, sha256_of(path))]),
        notes=(*sounds.notes, *notes),
        labels=sounds.labels,
        classes=sounds.classes,
    )


def _layout(spec: InputSpec, shape: tuple[int, ...]) -> tuple[int, int, bool]:
    """Return samples, channels, and whether the channels come first; raise BadInput if the input takes no sounds."""
    others = [size for size in shape if size != 1]
    first = len(others) == 2 and others[0] == 2
    samples, channels = others[-1] if first else others[0] if others else 0, len(others)
    if spec.dtype != "float32" or channels not in (1, 2) or (channels == 2 and 2 not in others):
        raise BadInput(
            f"input {spec.name[:80]} is {spec.dtype} of shape {shown_shape(shape)}, which is not a sound",
            "use a float32 input with an axis of samples and one or two channels",
        )
    if samples > MAX_SAMPLES:
        raise BadInput(
            f"input {spec.name[:80]} takes {counted(samples, 'sample')}: at most {MAX_SAMPLES:,} are supported"
        )
    return samples, channels, first


def _fitted(sound: Sound, channels: int, rate: int, path: Path) -> npt.NDArray[np.float32]:
    """Return the samples with as many channels as the model takes; raise DatasetError if the file does not fit."""
    own = sound.samples.shape[1]
    if sound.rate != rate:
        raise DatasetError(
            f"{path}: {sound.rate:,} Hz, but the model takes {rate:,} Hz",
            f"resample it, for example with sox -r {rate}",
        )
    if own == channels:
        return sound.samples
    if channels != 1:
        raise DatasetError(f"{path}: {counted(own, 'channel')}, but the model takes {channels}", "convert it")
    mean: npt.NDArray[np.float32] = sound.samples.mean(axis=1, keepdims=True, dtype=np.float32)
    return mean
