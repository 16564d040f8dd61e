"""How model files are damaged for fuzzing, and the code that reads them."""

import io
import random
import zipfile
from pathlib import Path

from edge_bench.app.conversion.inspect import ModelInspection, known_support
from edge_bench.app.conversion.measurable import Measurability
from edge_bench.app.tables.models.inspect import inspect_tables
from edge_bench.app.tables.prediction.table import prediction_tables
from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.keras_archive import check_legacy_config
from edge_bench.bench.model_formats.operators.onnx_nodes import named_copy
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.model_formats.tflite_metadata import read_metadata
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.models.memory_estimate import memory_need
from edge_bench.bench.models.model_identity import size_and_sha256
from edge_bench.bench.models.operators.onnx_work import onnx_work
from edge_bench.bench.models.operators.tflite_work import tflite_work
from edge_bench.bench.prediction.answer import predict_all, subjects
from edge_bench.bench.prediction.catalogue import load_device
from tests.fuzz import seeds
from tests.fuzz.mutate import mutated_bytes, mutated_json
from tests.fuzz.outputs import show
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_metadata import LabelFile, metadata_buffer, with_files
from tests.made.tflite_models import lstm_model

__all__ = [
    "damaged_h5", "damaged_keras", "metadata_models", "signed_lstm", "use_legacy_config", "use_metadata",
    "use_ncnn", "use_onnx", "use_tflite",
]  # fmt: skip


def damaged_keras(content: bytes, draw: random.Random) -> bytes:
    if draw.random() < 0.4:
        return mutated_bytes(content, draw)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return seeds.kerases(mutated_json(archive.read("config.json"), draw))


def damaged_h5(content: bytes, draw: random.Random) -> bytes:
    return mutated_bytes(mutated_json(content[6:-1], draw) if draw.random() < 0.5 else content, draw)


def use_onnx(path: Path) -> None:
    size_and_sha256(path)
    memory_need(path)
    named_copy_of(path)
    onnx_work(path, {})


def named_copy_of(path: Path) -> None:
    try:
        named_copy(path.read_bytes())
    except ValueError as cause:  # as the worker does
        raise BadInput(str(cause)) from None


def use_ncnn(path: Path) -> None:
    path.with_suffix(".bin").write_bytes(b"")
    size_and_sha256(path)
    memory_need(path)


def use_legacy_config(path: Path) -> None:
    try:
        check_legacy_config(path.read_bytes())
    except ValueError as cause:  # as the worker does
        raise BadInput(str(cause)) from None


def use_tflite(path: Path) -> None:
    file = read_tflite(path)
    metadata = None
    tflite_work(path, 1)
    try:
        cost = model_cost(file)
        metadata = read_metadata(path)
        _ = file.only_input, file.only_output
    except ValueError as cause:  # as the command does
        raise BadInput(str(cause)) from None
    measured = Measurability(())
    show(inspect_tables(ModelInspection(path, False, file, cost, known_support(file), (), measured, metadata)))
    show(prediction_tables(predict_all(subjects(path), [load_device("pi4")], [1])))


def signed_lstm(folder: Path) -> bytes:
    content = lstm_model(folder / "lstm.tflite", signature="lstm").read_bytes()
    (folder / "lstm.tflite").unlink()
    return content


def metadata_models() -> list[bytes]:
    made = TfliteBuilder()
    taken, given = made.tensor(1, 4, 4, 3), made.tensor(1, 2)
    made.metadata("TFLITE_METADATA", metadata_buffer([([127.5], [127.5])], [[LabelFile("l.txt")]], color_space=1))
    return [with_files(made.content([taken], [given]), {"l.txt": b"cat\ndog\n"})]


def use_metadata(path: Path) -> None:
    try:
        read_metadata(path)
    except ValueError as cause:  # as the command does
        raise BadInput(str(cause)) from None
