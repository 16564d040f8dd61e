"""The examples of docs/python.md, run in order."""

import re
import shutil
from pathlib import Path

import pytest

import edge_bench
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import REPOSITORY
from tests.made.graph.graph_models import brightness_detector
from tests.made.graph.graph_workloads import box_images
from tests.made.keras import brightness_keras

PAGE = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_example_runs(digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    shutil.copytree(digits_bundle.folder, tmp_path / "artifacts" / "bundle")
    brightness_detector(tmp_path / "detector.tflite", labels=("cat", "dog", "cow"))
    box_images(tmp_path / "photos", (0, 1, 2, 1, 0), ("cat", "dog", "cow"))
    brightness_keras(size=8).save(tmp_path / "model.keras")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    for number, example in enumerate(examples):
        exec(compile(example, f"example {number} of docs/python.md", "exec"), names)
    assert len(examples) >= 7
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("name", edge_bench.__all__)
def test_every_name_is_described(name: str) -> None:
    assert re.search(rf"(edge_bench\.|`){name}\b", PAGE)


@pytest.mark.parametrize(
    "kind", [edge_bench.Run, edge_bench.Comparison, edge_bench.Boxes], ids=lambda kind: kind.__name__
)
def test_every_public_attribute_is_described(kind: type) -> None:
    public = [name for name in (*vars(kind), *getattr(kind, "__annotations__", {})) if not name.startswith("_")]
    assert [name for name in public if not re.search(rf"\b{name}\b", PAGE)] == []
