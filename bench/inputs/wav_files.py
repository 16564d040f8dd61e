"""A strict reader of .wav files: PCM of 8 to 32 bits and floats, which the standard library's wave does not read.

Format: Microsoft, Multiple Channel Audio Data and WAVE Files (2007), and RFC 2361 for the numbers of encodings.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.files import open_regular_file, why_unreadable

__all__ = ["Sound", "read_wav"]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
#: The end of an extensible format's 16 bytes, after the number of the encoding.
_SUBFORMAT_END = bytes.fromhex("0000 0000 1000 8000 00AA 0038 9B71")
_ENCODINGS = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}
_MAX_CHUNKS, _MAX_FORMAT, _MAX_CHANNELS = 1000, 1 << 12, 64


class Sound(NamedTuple):
    """The first samples of a sound file, -1 to 1."""

    rate: int  # samples per second and channel
    samples: npt.NDArray[np.float32]  # [samples, channels]
    total: int  # samples per channel of the whole file


class _Format(NamedTuple):
    encoding: int
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def read_wav(path: Path, most: int) -> Sound:
    """Return up to ``most`` samples per channel from the start of a .wav file. The rest is not read into memory.

    Integers of n bits are divided by 2ⁿ⁻¹. 8-bit ones are unsigned, so 128 is subtracted first. Floats are unchanged.
    Raise DatasetError if the file is damaged, compressed, or has a value that is not finite.
    """
    try:
        with open_regular_file(path) as file:
            form, size = _found(file, os.fstat(file.fileno()).st_size)
            total = size // form.frame_bytes
            data = file.read(min(most, total) * form.frame_bytes)
        if len(data) != min(most, total) * form.frame_bytes:
            raise ValueError("the file is truncated")
        samples = _scaled(data, form).reshape(-1, form.channels)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, ValueError, struct.error) as cause:
        raise DatasetError(
            f"{path}: invalid or truncated .wav file: {why_unreadable(cause)}", "convert it to 16-bit PCM, or remove it"
        ) from None
    return Sound(form.rate, samples, total)


def _found(file: BinaryIO, file_size: int) -> tuple[_Format, int]:
    """Return the format and the number of bytes of the samples. The file's position is then at the first sample."""
    start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise ValueError("no .wav header")
    form = None
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            break
        name, size = struct.unpack("<4sI", header)
        if size > file_size - file.tell():
            raise ValueError(f"a chunk states {size:,} bytes, but {file_size - file.tell():,} are left")
        if name == b"data":
            if form is None:
                raise ValueError("its samples come before their format")
            if size % form.frame_bytes or not size:
                raise ValueError(f"{size:,} bytes are not a whole number of samples")
            return form, size
        after = file.tell() + size + (size & 1)
        if name == b"fmt ":
            form = _format(file.read(min(size, _MAX_FORMAT)))
        file.seek(after)
    raise ValueError("it has no samples")


def _format(content: bytes) -> _Format:
    encoding, channels, rate, _, block, bits = struct.unpack("<HHIIHH", content[:16])
    if encoding == _EXTENSIBLE:
        valid, _, encoding = struct.unpack("<HIH", content[18:26])
        if content[26:40] != _SUBFORMAT_END or valid not in (0, bits):
            raise ValueError("unknown encoding")
    if (encoding, bits) not in _ENCODINGS:
        raise ValueError(f"encoding {encoding} with {bits} bits: only PCM of 8 to 32 bits and floats are supported")
    if not 0 < channels <= _MAX_CHANNELS or not rate or block != channels * bits // 8:
        raise ValueError(f"{channels} channels at {rate:,} Hz in blocks of {block} bytes")
    return _Format(encoding, channels, rate, bits)


def _scaled(data: bytes, form: _Format) -> npt.NDArray[np.float32]:
    if form.encoding == _FLOAT:
        values = np.frombuffer(data, f"<f{form.bits // 8}")
        if not np.isfinite(values).all():
            raise ValueError("a sample is not finite")
        return values.astype(np.float32)
    if form.bits == 8:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    if form.bits == 24:
        # as the upper three bytes of 32-bit integers
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return (wide.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    integers = np.frombuffer(data, f"<i{form.bits // 8}")
    return (integers / 2.0 ** (form.bits - 1)).astype(np.float32)
