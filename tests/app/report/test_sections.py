"""Sections of the report on their own: thumbnails of test images, and commands that reproduce the results."""

import base64
import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from edge_bench.app.render.formats import Layout
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.image_source import png_address
from edge_bench.app.report.reproduce import reproduce_section
from edge_bench.app.report.write import write_report
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.power import Power, stated_power
from edge_bench.bench.records.run import Run, Settings
from tests.factories import arm, machine, offload, result, run


def test_thumbnails_are_exact_subsampled_and_reproducible() -> None:
    image = np.random.default_rng(1).integers(0, 256, (200, 7, 3)).astype(np.uint8)
    for pixels, shown in ((image[:5], image[:5]), (image[:5, :, :1], image[:5, :, 0]), (image, image[::3, ::3])):
        address = png_address(pixels)
        content = base64.b64decode(address.removeprefix("data:image/png;base64,"))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), shown)
        assert png_address(pixels.copy()) == address


def test_reproduce_commands_have_every_option_that_differs_from_its_default() -> None:
    whole = run(result("dynamic", "litert", 0.5))
    settings = Settings(memory_limit=512 << 20, scenario="offline", timeout_s=60, resample=50,
                        power=stated_power("idle=2W,compute=6W"))  # fmt: skip
    sent = offload(
        arm(5, where="local"),
        arm(4),
        arm(4, payload="jpeg", in_flight=8),
        power=Power(idle_w=2.7, compute_w=5, transmit_w=3.5),
    )
    (usual,) = bundle_sections([whole], [])
    text = reproduce_section(usual)
    for option in ("--threads", "--batch-size", "--limit", "--memory-limit", "--timeout", "--power"):
        assert option not in text, option
    (changed,) = bundle_sections([msgspec.structs.replace(whole, settings=settings)], [], [sent])
    text = reproduce_section(changed)
    for option in ("--power idle=2W,compute=6W", "--memory-limit 512M", "--scenario offline", "--batch-size 1",
                   "--timeout 60", "--resample 50", "--payload raw,jpeg", "--in-flight 1,8",
                   "--power idle=2.7W,compute=5W,transmit=3.5W"):  # fmt: skip
        assert option in text, option


@pytest.mark.slow
def test_runs_of_the_same_files_on_replaced_images_are_in_sections_of_their_own(tmp_path: Path) -> None:
    step = Preprocessing(scale=1, offset=0, geometry="centre to 8×8×3, bilinear")

    def on_pixels(run_id: str, first: int) -> Run:
        whole = run(result("dynamic", "litert", 0.5), on=machine(libraries={"pillow": "12.0"}))
        images = msgspec.structs.replace(whole.images, checksums=pack(np.arange(100) + first))
        return msgspec.structs.replace(whole, run_id=run_id * 32, images=images, preprocessing=step)

    runs = [on_pixels("1", 0), on_pixels("2", 1), on_pixels("3", 0)]
    sections = bundle_sections(runs, [])
    assert [[each.run_id[0] for each in section.runs] for section in sections] == [["1", "3"], ["2"]]
    assert all(section.comparison for section in sections)
    written = write_report(runs, [], tmp_path / "figures", ["svg"], Layout.COLUMN, Silent())
    assert len(written) == sum(len(section.drawings) for section in sections)
