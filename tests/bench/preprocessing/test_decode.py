"""Image files of all formats, decoded to pixels of the model's size."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.dataset.cache import decoded_images
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.preprocessing.decode import decode
from edge_bench.bench.preprocessing.presets import BORDER, Geometry
from edge_bench.bench.progress import Silent
from tests.made.damaged_images import bomb, broken_jpeg

RGB = Geometry(8, 8, 3)
GREY = Geometry(8, 8, 1)
RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def test_pixels_of_the_right_size_are_unchanged(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    np.testing.assert_array_equal(decode(saved(tmp_path / "a.png", Image.fromarray(pixels)), RGB), pixels)


def test_a_letterboxed_image_keeps_its_proportions_between_borders(tmp_path: Path) -> None:
    wide = saved(tmp_path / "wide.png", Image.new("RGB", (20, 10), (10, 20, 30)))
    pixels = decode(wide, Geometry(8, 8, 3, letterbox=True))
    np.testing.assert_array_equal(pixels[2:6], np.tile(np.array([10, 20, 30], np.uint8), (4, 8, 1)))
    assert (pixels[:2] == BORDER).all()
    assert (pixels[6:] == BORDER).all()
    tall = saved(tmp_path / "tall.png", Image.new("L", (2, 8), 50))
    np.testing.assert_array_equal(
        decode(tall, Geometry(8, 8, 1, letterbox=True))[0, :, 0], [114] * 3 + [50] * 2 + [114] * 3
    )


def test_the_sizes_of_images_are_cached_with_their_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "images"
    folder.mkdir()
    saved(folder / "a.png", Image.new("RGB", (20, 10)))
    saved(folder / "b.png", Image.new("RGB", (7, 9)))
    (folder / "c.png").write_bytes(b"none")
    for _ in range(2):
        decoded = decoded_images(folder, ["a.png", "b.png", "c.png"], RGB, Silent(), skip_broken=True)
        assert decoded.sizes == [(20, 10), (7, 9), (0, 0)]


def test_grey_becomes_rgb_and_rgb_grey(tmp_path: Path) -> None:
    grey = saved(tmp_path / "grey.png", Image.fromarray(RAMP))
    np.testing.assert_array_equal(decode(grey, RGB), np.repeat(RAMP[..., np.newaxis], 3, axis=2))
    np.testing.assert_array_equal(decode(grey, GREY)[..., 0], RAMP)
    red = saved(tmp_path / "red.png", Image.new("RGB", (8, 8), (255, 0, 0)))
    assert decode(red, GREY)[0, 0, 0] == 76  # ITU-R 601: 0.299 × 255


def test_sixteen_bits_lose_their_low_byte_and_do_not_saturate(tmp_path: Path) -> None:
    sixteen = saved(tmp_path / "16.png", Image.fromarray(RAMP.astype(np.uint16) << 8 | 77))
    np.testing.assert_array_equal(decode(sixteen, GREY)[..., 0], RAMP)
    tiff = saved(tmp_path / "16.tif", Image.fromarray(RAMP.astype(np.uint16) << 8))
    np.testing.assert_array_equal(decode(tiff, GREY)[..., 0], RAMP)


def test_palette_cmyk_transparency_and_one_bit_are_converted(tmp_path: Path) -> None:
    colour = Image.new("RGB", (8, 8), (200, 40, 40))
    assert np.abs(decode(saved(tmp_path / "p.png", colour.quantize(4)), RGB).astype(int) - [200, 40, 40]).max() <= 2
    cmyk = decode(saved(tmp_path / "c.jpg", colour.convert("CMYK"), quality=95), RGB)
    assert np.abs(cmyk.astype(int) - [200, 40, 40]).max() <= 6
    clear = saved(tmp_path / "a.png", Image.new("RGBA", (8, 8), (1, 2, 3, 0)))
    np.testing.assert_array_equal(decode(clear, RGB)[0, 0], [1, 2, 3])
    assert decode(saved(tmp_path / "1.png", Image.new("1", (8, 8), 1)), GREY).min() == 255


def test_one_pixel_is_enlarged(tmp_path: Path) -> None:
    dot = saved(tmp_path / "dot.png", Image.new("RGB", (1, 1), (5, 6, 7)))
    np.testing.assert_array_equal(decode(dot, Geometry(8, 8, 3, crop=0.875)), np.full((8, 8, 3), [5, 6, 7]))


def test_the_centre_is_kept_unless_squashed(tmp_path: Path) -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 255  # the middle third is white
    path = saved(tmp_path / "wide.png", Image.fromarray(wide))
    assert decode(path, RGB).min() == 255
    squashed = decode(path, Geometry(8, 8, 3, squash=True, interpolation="area"))
    assert (squashed[:, 0].max(), squashed[:, 4].min()) == (0, 255)


def test_a_crop_of_half_keeps_the_middle(tmp_path: Path) -> None:
    target = np.zeros((16, 16, 3), np.uint8)
    target[4:12, 4:12] = 255
    path = saved(tmp_path / "t.png", Image.fromarray(target))
    assert decode(path, Geometry(8, 8, 3, crop=0.5, interpolation="nearest")).min() == 255


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("bomb.png", bomb(), "20000"),
        ("cut.jpg", broken_jpeg(), "cut.jpg"),
        ("text.png", b"hello, I am a text file", "text.png"),
        ("empty.jpg", b"", "empty.jpg"),
    ],
)
def test_incomplete_and_huge_images_are_refused_by_name(tmp_path: Path, name: str, content: bytes, named: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        decode(tmp_path / name, RGB)
    assert name in caught.value.problem
    assert named in caught.value.problem.replace(",", "")
    assert "\n" not in caught.value.problem


def test_the_cache_decodes_once_and_again_when_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "images"
    folder.mkdir()
    names = [f"{number}.png" for number in range(5)]
    for number, name in enumerate(names):
        saved(folder / name, Image.new("RGB", (8, 8), (number, 0, 0)))
    first = decoded_images(folder, names, RGB, Silent())
    assert np.load(first.pixels)[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    written = first.pixels.stat().st_mtime_ns
    assert decoded_images(folder, names, RGB, Silent()) == first
    assert first.pixels.stat().st_mtime_ns == written
    saved(folder / "0.png", Image.new("RGB", (9, 9), (50, 0, 0)))
    assert np.load(decoded_images(folder, names, RGB, Silent()).pixels)[0, 0, 0, 0] == 50


def test_broken_files_are_refused_or_skipped_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(broken_jpeg())
    saved(folder / "b.png", Image.new("RGB", (8, 8), (7, 0, 0)))
    with pytest.raises(DatasetError) as caught:
        decoded_images(folder, ["a.jpg", "b.png"], RGB, Silent())
    assert "a.jpg" in caught.value.problem
    left = decoded_images(folder, ["a.jpg", "b.png"], RGB, Silent(), skip_broken=True)
    assert left.readable == [1]
    assert "a.jpg" in left.problems[0]
    assert np.load(left.pixels)[1, 0, 0, 0] == 7
    assert not list((tmp_path / "cache" / "images").glob(".*")), "a temporary file was left"


def test_too_little_disk_space_is_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    saved(tmp_path / "a.png", Image.new("RGB", (8, 8)))
    huge = Geometry(60_000, 60_000, 3)
    with pytest.raises(BadInput) as caught:
        decoded_images(tmp_path, ["a.png"] * 1000, huge, Silent())
    assert str(tmp_path / "cache") in caught.value.problem
    assert "EDGE_BENCH_CACHE" in caught.value.remedy
    assert list((tmp_path / "cache" / "images").iterdir()) == []


def tiff(values: Any, **tags: int) -> bytes:
    """Return an uncompressed little-endian TIFF of grey values [height, width], with other values of its tags."""
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    entries = {
        256: values.shape[1], 257: values.shape[0], 258: values.itemsize * 8, 259: 1, 262: 1, 273: 0, 277: 1,
        278: values.shape[0], 279: values.nbytes, 339: kind,
    } | {int(tag.removeprefix("tag_")): value for tag, value in tags.items()}  # fmt: skip
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    content: bytes = values.tobytes()
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + directory + bytes(4) + content


@pytest.mark.parametrize(
    "values",
    [
        np.full((8, 8), 70, "<i4"),
        np.full((8, 8), 70, "<u4"),
        np.full((8, 8), 70, "<i2"),
        np.full((8, 8), 70, "i1"),
        np.full((8, 8), 0.5, "<f4"),
    ],
)
def test_values_of_unknown_range_are_refused(tmp_path: Path, values: Any) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(values))
    with pytest.raises(DatasetError) as caught:
        decode(tmp_path / "a.tif", GREY)
    assert str(tmp_path / "a.tif") in caught.value.problem
    assert "8 bits" in caught.value.remedy


def test_white_may_be_zero_in_a_tiff(tmp_path: Path) -> None:
    for values in (np.full((8, 8), 0x1234, "<u2"), np.full((8, 8), 0x12, "u1")):
        (tmp_path / "a.tif").write_bytes(tiff(values, tag_262=0))
        assert decode(tmp_path / "a.tif", GREY).max() == 255 - 0x12


def test_pgm_values_are_scaled_to_their_stated_highest(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 8 8 1023\n" + struct.pack(">64H", *[512] * 64))
    assert decode(tmp_path / "a.pgm", GREY).max() == 128


def test_16_bit_colours_lose_their_low_byte(tmp_path: Path) -> None:
    (tmp_path / "a.ppm").write_bytes(b"P6 8 8 65535\n" + struct.pack(">192H", *[0x1234] * 192))
    assert set(decode(tmp_path / "a.ppm", RGB).reshape(-1).tolist()) == {0x12}


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_set_of_16_bit_images_with_low_values_is_refused_or_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    for highest in (1023, 4095, 4096, 16_384):
        saved(tmp_path / f"{highest}.{suffix}", Image.fromarray(np.full((8, 8), highest, np.uint16)))
    low = [f"1023.{suffix}", f"4095.{suffix}"]
    for names in (low[:1], low, low):  # again, as nothing of it may come from the cache
        with pytest.raises(DatasetError) as caught:
            decoded_images(tmp_path, names, GREY, Silent())
        assert "8 bits" in caught.value.remedy
    for _ in range(2):
        assert len(decoded_images(tmp_path, [*low, f"4096.{suffix}"], GREY, Silent()).notes) == 1
        assert decoded_images(tmp_path, [*low, f"16384.{suffix}"], GREY, Silent()).notes == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_exif_orientation_is_applied_on_request_and_otherwise_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orientation: int
) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    pixels = np.arange(48, dtype=np.uint8).reshape(8, 6) * 5
    turned = {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.T,
              6: pixels[::-1].T, 7: pixels[::-1, ::-1].T, 8: pixels.T[::-1]}  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    saved(tmp_path / "a.png", Image.fromarray(pixels), exif=exif)
    height, width = turned[orientation].shape
    upright = Geometry(height, width, 1, exif_orientation=True)
    np.testing.assert_array_equal(decode(tmp_path / "a.png", upright)[..., 0], turned[orientation])
    np.testing.assert_array_equal(decode(tmp_path / "a.png", Geometry(8, 6, 1))[..., 0], pixels)
    ignored = decoded_images(tmp_path, ["a.png"], Geometry(8, 6, 1), Silent())
    assert len(ignored.notes) == (orientation != 1)
    assert decoded_images(tmp_path, ["a.png"], Geometry(8, 6, 1), Silent()) == ignored
    assert decoded_images(tmp_path, ["a.png"], upright, Silent()).notes == []
