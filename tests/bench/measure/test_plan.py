"""The configurations of a selection."""

from pathlib import Path

import pytest

from edge_bench.bench.measure import plan as planning
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.models.model_files import ModelFiles
from tests.made.tflite_models import brightness_tflite


def test_an_optional_runtime_that_is_not_installed_is_left_out_unless_it_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = ModelFiles.open([brightness_tflite(tmp_path / "m.tflite", range(4))], 60)
    monkeypatch.setattr(planning, "installed_version", lambda runtime: None if runtime.optional else "1")
    by_default = [item.configuration.runtime for item in plan(models, Selection())]
    assert by_default == ["litert"]
    (chosen,) = plan(models, Selection(runtimes=["openvino"]))
    assert chosen.failure is not None
    assert chosen.failure.kind == "not installed"
