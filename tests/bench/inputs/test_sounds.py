"""Sounds: samples by hand, folders by class, and damaged files."""

import math
import struct
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.inputs.sounds import list_sounds, load_sounds
from edge_bench.bench.inputs.specs import InputSpec
from edge_bench.bench.inputs.wav_files import read_wav
from edge_bench.bench.io.npy import open_npy
from tests.bench.messages import numbers_in

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
TAIL = bytes.fromhex("000000001000800000AA00389B71")


def wav(
    data: bytes, bits: int = 16, channels: int = 1, rate: int = 16_000, kind: int = PCM, extra: bytes = b""
) -> bytes:
    """Write a .wav file by the format's specification; ``extra`` comes before the samples."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits)
    if kind == EXTENSIBLE:
        form += struct.pack("<HHIH", 22, bits, 0, PCM) + TAIL
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + extra + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def written(folder: Path, content: bytes, name: str = "x.wav") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(struct.pack("<4h", 0, 16_384, -32_768, 32_767)), [0, 0.5, -1, 32_767 / 32_768]),
        (wav(bytes([128, 192, 0, 255]), bits=8), [0, 0.5, -1, 127 / 128]),
        (wav(bytes.fromhex("000000000040000080ffff7f"), bits=24), [0, 0.5, -1, (2**23 - 1) / 2**23]),
        (wav(struct.pack("<3i", 0, 1 << 30, -(1 << 31)), bits=32), [0, 0.5, -1]),
        (wav(struct.pack("<3f", 0, -0.25, 1.5), bits=32, kind=FLOAT), [0, -0.25, 1.5]),
        (wav(struct.pack("<2d", 0.5, -1), bits=64, kind=FLOAT), [0.5, -1]),
        (wav(struct.pack("<2h", 16_384, 0), kind=EXTENSIBLE), [0.5, 0]),
        (wav(struct.pack("<2h", 16_384, 0), extra=b"LIST" + struct.pack("<I", 3) + b"abc\0"), [0.5, 0]),
    ],
)
def test_samples_by_hand(tmp_path: Path, content: bytes, expected: list[float]) -> None:
    sound = read_wav(written(tmp_path, content), 100)
    assert sound.samples.dtype == np.float32
    assert sound.samples[:, 0] == pytest.approx(expected, abs=1e-7)
    assert (sound.rate, sound.total) == (16_000, len(expected))


@settings(deadline=None)
@given(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=50), st.integers(1, 60), st.sampled_from([1, 2]))
def test_files_of_the_standard_library(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], most: int, channels: int
) -> None:
    path = tmp_path_factory.mktemp("wav") / "x.wav"
    frames = np.repeat(np.array(values, "<i2"), channels).reshape(-1, channels)
    frames[:, 0] //= 2
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(frames.tobytes())
    sound = read_wav(path, most)
    assert (sound.rate, sound.total) == (8_000, len(values))
    assert np.array_equal(sound.samples, (frames / 32_768).astype(np.float32)[:most])


def test_damaged_and_other_files_are_refused(tmp_path: Path) -> None:
    whole = wav(bytes(100))
    data = whole.index(b"data")
    bad = [
        b"", b"RIFF", b"OggS" + whole[4:], whole[:20], whole[:data], whole[:-2], wav(b""), wav(bytes(3)),
        whole[:data + 4] + b"\xff\xff\xff\xff" + whole[data + 8:], wav(bytes(8), kind=2), wav(bytes(8), kind=85),
        wav(bytes(8), bits=12), wav(bytes(8), bits=0), wav(bytes(8), rate=0), wav(bytes(130), channels=65),
        wav(bytes(8), bits=64), wav(bytes(8), bits=16, kind=FLOAT), wav(struct.pack("<f", math.nan), 32, kind=FLOAT),
        wav(struct.pack("<f", math.inf), 32, kind=FLOAT), wav(bytes(8)).replace(b"fmt ", b"junk"),
        wav(bytes(8), kind=EXTENSIBLE).replace(TAIL, TAIL[::-1]), b"RIFF" + bytes(4) + b"WAVE" + b"junk\0\0\0\0" * 2000,
    ]  # fmt: skip
    for content in bad:
        with pytest.raises(DatasetError) as caught:
            read_wav(written(tmp_path, content), 1 << 40)
        assert caught.value.exit_code == 2
        assert "\n" not in caught.value.problem
    for path in (tmp_path, tmp_path / "missing.wav"):
        with pytest.raises(DatasetError):
            read_wav(path, 10)


def tone(level: int, samples: int = 10, channels: int = 1, rate: int = 16_000) -> bytes:
    return wav(struct.pack("<h", level) * samples * channels, channels=channels, rate=rate)


MONO = InputSpec("waveform", "float32", (10,))


def loaded(folder: Path, spec: InputSpec = MONO) -> tuple[npt.NDArray[np.float32], tuple[int, ...] | None, int]:
    """Return samples, labels and the number of notes."""
    found = load_sounds(list_sounds(folder), spec, 16_000)
    return open_npy(found.arrays["waveform"]), found.labels, len(found.notes)


def test_folders_are_classes_in_the_order_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    for name, level in (("yes/b.wav", 8192), ("no/deep/a.WAV", -8192), ("yes/a.wav", 16_384)):
        written(folder, tone(level), name)
    written(folder, b"text", "yes/readme.txt")
    written(folder, b"", "yes/.hidden.wav")
    sounds = list_sounds(folder)
    assert sounds.files == ("no/deep/a.WAV", "yes/a.wav", "yes/b.wav")
    assert (sounds.classes, sounds.labels, len(sounds.notes)) == (("no", "yes"), (0, 1, 1), 1)
    values, labels, _ = loaded(folder)
    assert values.shape == (3, 10)
    assert labels == (0, 1, 1)
    assert values[:, 0].tolist() == [-0.25, 0.5, 0.25]


def test_a_folder_of_sounds_has_no_classes(tmp_path: Path) -> None:
    written(tmp_path, tone(0))
    assert loaded(tmp_path)[1:] == (None, 1)


def test_sounds_are_cut_or_filled_with_zeros_at_the_end_and_channels_averaged(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    written(folder, wav(struct.pack("<12h", *range(0, 12 * 1024, 1024))), "long.wav")
    written(folder, tone(8192, samples=3), "short.wav")
    written(folder, wav(struct.pack("<20h", *[16_384, -8192] * 10), channels=2), "stereo.wav")
    values, _, notes = loaded(folder)
    assert values[0].tolist() == [number / 32 for number in range(10)]
    assert values[1].tolist() == [0.25] * 3 + [0] * 7
    assert values[2].tolist() == [0.125] * 10
    assert notes == 4


@pytest.mark.parametrize("shape", [(1, 10), (1, 1, 10), (1, 10, 1), (10,), (-1, 10)])
def test_one_channel_in_any_layout(tmp_path: Path, shape: tuple[int, ...]) -> None:
    folder = tmp_path / "sounds"
    written(folder, tone(8192))
    spec = InputSpec("waveform", "float32", shape)
    values, _, _ = loaded(folder, spec)
    assert values.shape == (1, *spec.example_shape)


def test_two_channels_on_either_axis(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    written(folder, wav(struct.pack("<6h", *[16_384, -8192] * 3), channels=2))
    last, _, _ = loaded(folder, InputSpec("waveform", "float32", (1, 3, 2)))
    first, _, _ = loaded(folder, InputSpec("waveform", "float32", (1, 2, 3)))
    assert last.tolist() == [[[0.5, -0.25]] * 3]
    assert first.tolist() == [[[0.5] * 3, [-0.25] * 3]]
    written(folder, tone(0), "mono.wav")
    with pytest.raises(DatasetError):
        loaded(folder, InputSpec("waveform", "float32", (1, 3, 2)))


def test_another_rate_is_refused_not_resampled(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    written(folder, tone(0, rate=44_100))
    with pytest.raises(DatasetError) as caught:
        loaded(folder)
    assert numbers_in(caught.value.problem.removeprefix(str(folder / "x.wav"))) == [44_100, 16_000]


@pytest.mark.parametrize(
    "spec",
    [
        InputSpec("waveform", "int16", (10,)),
        InputSpec("waveform", "float32", (1, 224, 224, 3)),
        InputSpec("waveform", "float32", (1, 5, 7)),
        InputSpec("waveform", "float32", (-1, -1)),
        InputSpec("waveform", "float32", ()),
        InputSpec("waveform", "float32", (1, 1 << 27)),
    ],
)
def test_inputs_that_take_no_sounds_are_refused(tmp_path: Path, spec: InputSpec) -> None:
    folder = tmp_path / "sounds"
    written(folder, tone(0))
    with pytest.raises(BadInput):
        loaded(folder, spec)


def test_folders_that_are_no_classes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    written(tmp_path, tone(0), "mixed/a.wav")
    written(tmp_path, tone(0), "mixed/yes/a.wav")
    written(tmp_path, tone(0), "half/yes/a.wav")
    (tmp_path / "half/no").mkdir()
    for name in ("empty", "mixed", "half", "missing"):
        with pytest.raises(DatasetError):
            list_sounds(tmp_path / name)
