"""SavedModels: those that compute are accepted, those that reach out of themselves are refused."""

from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats import protobuf, saved_model_graph
from edge_bench.bench.models.memory_estimate import check_memory, memory_need
from edge_bench.bench.models.saved_model_check import check_saved_model, safe_operations
from tests.made.saved_models import call, constant, field, function, node, ordinary, saved_model, text


def written(folder: Path, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        check_saved_model(written(folder, content))
    assert str(folder) in caught.value.problem
    assert caught.value.remedy
    return caught.value.problem


def test_an_ordinary_model_is_accepted(tmp_path: Path) -> None:
    check_saved_model(written(tmp_path / "m", ordinary()))


REFUSED = [
    "WriteFile", "ReadFile", "MatchingFiles", "PrintV2", "Print", "InitializeTableFromTextFileV2", "ImmutableConst",
    "LoadAndRemapMatrix", "GenerateVocabRemapping", "TextLineDataset", "TFRecordDatasetV2", "SaveDatasetV2", "PyFunc",
    "EagerPyFunc", "PyFuncStateless", "XlaCallModule", "XlaHostCompute", "DebugIdentityV3", "RpcCall", "Send", "_Recv",
    "CollectiveReduceV2", "RemoteCall", "TPUExecute", "Save", "SaveSlices", "Restore", "DistributedSave",
    "ShardDataset", "SummaryWriter", "CreateSummaryFileWriter", "FileSystemSetConfiguration", "SymbolicGradient",
    "IteratorGetNext", "DecodeJpeg", "MyCustomOp", "writeFile", "Add ", "",
]  # fmt: skip


@pytest.mark.parametrize("operation", REFUSED)
def test_an_unlisted_operation_is_refused_wherever_it_is(tmp_path: Path, operation: str) -> None:
    bad = node("bad", operation)
    places = {
        "serving": ordinary(serving=[bad]),
        "unused": ordinary(functions=[function("unused", [], [bad])]),
        "graph": ordinary(nodes=[bad]),
        "second": ordinary() + saved_model([bad])[2:],  # without its version: another graph
    }
    for place, content in places.items():
        assert operation in refusal(tmp_path / place, content)
    assert operation not in safe_operations()


VIA_CALLS: dict[str, bytes] = {
    "an operation": node("x", "RestoreV2", ["c"]),
    "a writing operation": node("x", "SaveV2", ["c"]),
    "removing files": node("x", "MergeV2Checkpoints", ["c"]),
    "a call": node("x", "StatefulPartitionedCall", f=call("save")),
    "a call by its name": node("x", "save", ["c"]),
    "a branch": node("x", "If", then_branch=call("serve"), else_branch=call("restore")),
    "a list of branches": node("x", "Case", branches=field(1, field(9, field(1, "save")))),
    "a function in a function's attributes": node("x", "While", body=call("serve", inner=call("save"))),
    "a text": node("x", "PartitionedCall", f=text("save")),
}


@pytest.mark.parametrize("way", VIA_CALLS)
def test_the_functions_of_a_model_cannot_use_checkpoints(tmp_path: Path, way: str) -> None:
    refusal(tmp_path / "direct", ordinary(serving=[VIA_CALLS[way]]))
    inner = function("inner", [], [VIA_CALLS[way]])
    refusal(tmp_path / "nested", ordinary(serving=[node("c", "PartitionedCall", f=call("inner"))], functions=[inner]))
    graph = [VIA_CALLS[way], node("out", "Identity", ["x"])]
    entries: list[dict[str, Any]] = [
        {"signatures": ["answer:0", "out:0"]}, {"signatures": ["x"]},
        {"collections": {"legacy_init_op": "out"}}, {"collections": {"saved_model_main_op": "x"}},
    ]  # fmt: skip
    for number, entry in enumerate(entries):
        refusal(tmp_path / f"graph{number}", ordinary(nodes=graph, **entry))
    after = [*graph, node("init", "NoOp", ["^out"])]
    refusal(tmp_path / "control", ordinary(nodes=after, signatures=["answer:0", "init"]))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(ordinary(signatures=["saving:0"]), id="saving as a signature"),
        pytest.param(ordinary(called=["serve", "save"]), id="saving as a function of an object"),
        pytest.param(ordinary(called=["serve", "restore"]), id="restoring as a function of an object"),
        pytest.param(ordinary(gradients=[("serve", "save")]), id="saving as a gradient"),
        pytest.param(ordinary(saver=("path:0", "saving:0", "saving")), id="saving in place of restoring"),
        pytest.param(ordinary(saver=("v:0", "saving:0", "restoring")), id="another path than the fed one"),
        pytest.param(ordinary(saver=("", "saving:0", "restoring")), id="no path"),
        pytest.param(
            ordinary(restore=function("restore", ["prefix"], [node("r", "RestoreV2", ["c:output:0"])])),
            id="restoring from a constant path",
        ),
        pytest.param(
            ordinary(restore=function("restore", ["p"], [node("r", "RestoreV2", ["p"]), node("s", "SaveV2", ["p"])])),
            id="restoring that saves as well",
        ),
        pytest.param(
            ordinary(restore=function("restore", ["prefix"], [node("p", "PartitionedCall", f=call("save"))])),
            id="restoring that calls saving",
        ),
        pytest.param(
            ordinary(restore=function("restore", ["v", "prefix"], [node("r", "RestoreV2", ["prefix"])])),
            id="restoring from another argument",
        ),
        pytest.param(
            ordinary(functions=[function("late", ["p"], [node("s", "SaveV2", ["p"])], api_implements=text("serve"))]),
            id="a function that may replace another one",
        ),
        pytest.param(ordinary(nodes=[node("v", "Const")]), id="two nodes of one name"),
        pytest.param(ordinary(functions=[function("save", [], [])]), id="two functions of one name"),
        pytest.param(ordinary(nodes=[node("z", "Const") + field(2, "Relu")]), id="two operations in one node"),
        pytest.param(
            saved_model([node("c", "Const"), node("save/r", "RestoreV2", ["c"])], saver=("path:0", "", "save/r")),
            id="a version 1 graph that restores from a constant path",
        ),
        pytest.param(b"", id="an empty file"),
        pytest.param(b"\x12\x09WriteFile", id="no protobuf"),
        pytest.param(b"PK\x03\x04", id="a zip"),
        pytest.param(field(1, 1), id="no graph"),
    ],
)  # fmt: skip
def test_a_graph_that_may_use_other_files_is_refused(tmp_path: Path, content: bytes) -> None:
    refusal(tmp_path / "m", content)


def test_a_version_1_graph_restores_from_its_path(tmp_path: Path) -> None:
    nodes = [
        node("save/Const", "PlaceholderWithDefault"), node("w", "VariableV2"),
        node("save/RestoreV2", "RestoreV2", ["save/Const", "c"]),
        node("save/Assign", "Assign", ["w", "save/RestoreV2"]), node("save/restore_all", "NoOp", ["^save/Assign"]),
        node("save/SaveV2", "SaveV2", ["save/Const"]),
        node("c", "Const"), node("y", "MatMul", ["w", "c"]),
    ]  # fmt: skip
    saver = ("save/Const:0", "save/SaveV2:0", "save/restore_all")
    check_saved_model(written(tmp_path / "m", saved_model(nodes, saver=saver, signatures=["y:0"])))
    assert "save/Assign" in refusal(
        tmp_path / "n", saved_model(nodes, saver=saver, signatures=["y:0", "save/Assign:0"])
    )


def test_a_second_graph_that_would_be_loaded_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "m", ordinary())
    for name in ("saved_model.cpb", "saved_model.pbtxt"):
        (folder / name).touch()
        with pytest.raises(BadInput) as caught:
            check_saved_model(folder)
        assert name in caught.value.problem
        (folder / name).unlink()
    check_saved_model(folder)


def test_the_size_of_a_graph_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = ordinary(nodes=[node(f"n{number}", "NoOp") for number in range(200)])
    check_saved_model(written(tmp_path / "m", content))
    monkeypatch.setattr(saved_model_graph, "MAX_PARTS", 500)
    assert "500" in refusal(tmp_path / "m", content)
    assert protobuf.MAX_FIELDS > 500


def test_constants_that_grow_when_loaded_are_counted(tmp_path: Path) -> None:
    folder = written(tmp_path / "m", ordinary(serving=[node("c", "Const", value=constant(1 << 20, 1 << 20))]))
    assert memory_need(folder).weights >= 4 << 40
    with pytest.raises(BadInput):
        check_memory(folder, memory_need(folder), None)
