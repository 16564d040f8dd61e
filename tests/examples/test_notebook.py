"""The notebook in examples/, executed in a separate kernel."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import edge_bench
from tests.command_line import REPOSITORY, clean_environment

NOTEBOOK = REPOSITORY / "examples" / "edge_bench.ipynb"


def test_the_notebook_is_stored_without_outputs() -> None:
    content: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the libraries that start the kernel
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    environment = clean_environment(tmp_path) | {"TMPDIR": str(tmp_path)}
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=os.environ | environment)
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("text/html" in output.get("data", {}) for output in shown) == 3
    assert sum("image/png" in output.get("data", {}) for output in shown) == 2
    (results,) = tmp_path.glob("edge-bench-*/results")
    table = edge_bench.load(results).to_frame()
    assert list(table["quality_measure"]) == ["accuracy", "accuracy", "mAP"]
    assert min(table["quality"]) > 0.85
