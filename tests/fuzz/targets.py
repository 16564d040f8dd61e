"""Every kind of untrusted file: its seeds, how it is damaged, and the code that reads it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.figures.drawing.svg import inline_svg
from edge_bench.app.render.formats import Layout
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.page import report_page
from edge_bench.app.tables.models.training import training_summary
from edge_bench.app.tables.offload.table import offload_tables
from edge_bench.app.tables.runs.gate import changes_table
from edge_bench.app.tables.runs.history import answers_table, history_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.app.training.fit.checkpoints import TrainingSettings, TrainingState, read_state
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import Limits, changes, judge
from edge_bench.bench.analysis.over_time.history import history as series_of
from edge_bench.bench.analysis.over_time.history import not_in_history
from edge_bench.bench.analysis.over_time.measured import measured
from edge_bench.bench.dataset.arrays import load_arrays
from edge_bench.bench.dataset.image_list import list_images
from edge_bench.bench.dataset.label_files import read_names
from edge_bench.bench.dataset.workload import bundle_workload, pixel_checksums
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import sha256_of
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.measure.stored.reading import read_runs
from edge_bench.bench.models.memory_estimate import memory_need
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.offload.records.files import read_offload
from edge_bench.bench.preprocessing.decode import decode
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import Journal
from edge_bench.bench.records.manifest import File, History
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import write_run
from tests.fuzz import box_labels, exchanged, outputs, seeds, stored, tasks
from tests.fuzz.model_files import (
    damaged_h5,
    damaged_keras,
    metadata_models,
    signed_lstm,
    use_legacy_config,
    use_metadata,
    use_ncnn,
    use_onnx,
    use_tflite,
)
from tests.fuzz.mutate import mutated_bytes, mutated_json
from tests.made.keras_configs import keras_config
from tests.made.saved_models import ordinary

__all__ = ["Target", "targets"]

NAMES = [f"{number}.png" for number in range(6)]


@dataclass(frozen=True)
class Target:
    """One kind of file."""

    name: str
    file: str  # path in the case's folder
    seeds: Sequence[bytes]
    damaged: Callable[[bytes, random.Random], bytes]
    use: Callable[[Path], object]  # the file's path
    share: int = 1  # number of cases relative to the other kinds


def targets(folder: Path) -> list[Target]:
    """Return all kinds, and write the undamaged files that they need into ``folder``."""
    pngs = folder / "images"
    pngs.mkdir()
    (folder / "weights.bin").write_bytes(bytes(16))  # of an .onnx model
    for name in NAMES:
        (pngs / name).write_bytes(seeds.images()[0])
    bundle = _bundle(folder / "bundle")
    other = folder / "other"
    write_run(seeds.runs()[1], other)
    (valid,) = read_runs([other], Silent())
    arrays = seeds.npys()
    history = msgspec.json.decode(seeds.histories()[0], type=History)
    checkpoint = File(file="epoch-0003.keras", bytes=10, sha256="0" * 64)
    state = TrainingState(settings=TrainingSettings(), dataset_sha256="0" * 64, history=history, checkpoint=checkpoint)
    journal = b"".join(seeds.line(msgspec.json.encode(entry)) for entry in seeds.journals()[0])
    return [
        Target("manifest", "bundle/manifest.json", [bundle], _json_or_bytes, _open_bundle, 3),
        Target("history", "bundle/history.json", seeds.histories(), _json_or_bytes, _read_history),
        Target(
            "state",
            "training/state.json",
            [encode_record(state)],
            _json_or_bytes,
            lambda p: read_state(p.parent.parent),
        ),
        Target("run", "run-x.json", [encode_record(seeds.runs()[0])], _json_or_bytes, lambda p: _use_run(p, valid), 3),
        Target("offload", "offload-x.json", seeds.offloads(), _json_or_bytes, _use_offload, 2),
        Target("journal", "run-x.journal", [journal], _damaged_journal, lambda p: _use_journal(p, valid), 2),
        Target("labels", "labels.txt", seeds.labels(NAMES), mutated_bytes, lambda p: _use_labels(p, pngs)),
        Target("npy", "x.npy", arrays, mutated_bytes, _use_npy, 2),
        Target("npz", "x.npz", [seeds.npz(*arrays[:2])], _damaged_npz, _use_npz),
        *_models(folder),
        *_outputs_and_shared(pngs),
        Target("image", "x.png", seeds.images(), mutated_bytes, lambda p: decode(p, Geometry(4, 4, 3)), 2),
        *_exchanged_targets(folder),
        *_box_labels(),
        *_tasks(),
    ]


def _box_labels() -> list[Target]:
    return [
        Target("coco", "coco.json", box_labels.annotations(), _json_or_bytes, box_labels.use_annotations, 2),
        Target("yolo", "yolo.txt", box_labels.label_lines(), mutated_bytes, box_labels.use_label_lines),
        Target("classes", "data.yaml", box_labels.class_names(), mutated_bytes, box_labels.use_class_names),
        Target("boxes", "boxes.json", box_labels.packed(), _json_or_bytes, box_labels.use_packed),
    ]


def _exchanged_targets(folder: Path) -> list[Target]:
    return [
        Target("http", "http", exchanged.requests(), exchanged.damaged_http, exchanged.use_http, 2),
        Target("body", "body.json", exchanged.bodies(), _json_or_bytes, exchanged.use_body, 2),
        Target("archive", "runs.tar", exchanged.archives(), mutated_bytes, exchanged.use_archive, 2),
        Target("saved", "edge.tar", exchanged.saved_images(folder), mutated_bytes, exchanged.use_saved_image),
        Target("fleet", "fleet.toml", exchanged.fleet_files(), mutated_bytes, exchanged.use_fleet_file),
        Target("device", "device.toml", stored.device_files(), mutated_bytes, stored.use_device_file, 2),
        Target("settings", "edge-bench.toml", stored.settings_files(), mutated_bytes, stored.use_settings_file),
        Target("night", "night.json", stored.nights(), _json_or_bytes, stored.use_night),
        Target("tuned", exchanged.TUNED, exchanged.tune_records(), _json_or_bytes, exchanged.use_tune_record),
    ]


def _tasks() -> list[Target]:
    """Return inputs, true values and records of tasks other than classification."""
    return [
        Target("mask", "mask/0.png", tasks.masks(), mutated_bytes, tasks.use_mask, 2),
        Target("maskvalues", "values.txt", tasks.mask_values(), mutated_bytes, tasks.use_mask_values),
        Target("inputs", "inputs.npz", tasks.inputs(), mutated_bytes, tasks.use_inputs, 2),
        Target("wav", "wav/x.wav", tasks.sounds(), mutated_bytes, tasks.use_sound, 2),
        Target("segmentation", "segmentation.json", [tasks.segmentation()], _json_or_bytes, tasks.use_segmentation, 2),
        Target("outputs", "outputs.json", [tasks.outputs()], _json_or_bytes, tasks.use_outputs, 2),
        Target("taskrun", "run-task.json", tasks.runs(), _json_or_bytes, tasks.use_runs, 2),
    ]


def _models(folder: Path) -> list[Target]:
    """Return the kinds of model files."""
    return [
        Target("tflite", "x.tflite", [*seeds.tflites(), signed_lstm(folder)], mutated_bytes, use_tflite, 3),
        Target("metadata", "y.tflite", metadata_models(), mutated_bytes, use_metadata, 2),
        Target("onnx", "x.onnx", seeds.onnxes(), mutated_bytes, use_onnx, 3),
        Target("ncnn", "x.param", [seeds.NCNN], mutated_bytes, use_ncnn),
        Target("savedmodel", "saved/saved_model.pb", [ordinary()], mutated_bytes, lambda p: memory_need(p.parent), 3),
        Target("keras", "x.keras", [seeds.kerases(), seeds.kerases(keras_config())], damaged_keras, memory_need, 2),
        Target("kerasconfig", "config.json", [keras_config()], _json_or_bytes, use_legacy_config, 2),
        Target("h5", "x.h5", [b"\x89HDF\r\n" + keras_config() + b"\0"], damaged_h5, memory_need),
    ]


def _outputs_and_shared(pngs: Path) -> list[Target]:
    """Return texts that are shown in every format, and files in folders that users or processes share."""
    cache = [b'{"kept":[0,1,2,3,4,5],"broken":[],"notes":["n"]}']
    return [
        Target("names", "names.txt", outputs.names(), mutated_bytes, outputs.use_names, 3),
        Target("registry", outputs.REGISTRY, outputs.registries(), _json_or_bytes, outputs.use_registry, 2),
        Target("states", "fleet.json", outputs.fleet_states(), _json_or_bytes, outputs.use_fleet_state),
        Target("cache", "cache.json", cache, _json_or_bytes, lambda p: outputs.use_cache(p, pngs, NAMES)),
    ]


def _bundle(folder: Path, history: Path | None = None) -> bytes:
    """Write the other files of a bundle, and return its manifest."""
    contents = {"test/images.npy": seeds.npys()[0], "test/labels.npy": seeds.npys()[1],
                "variants/dynamic.tflite": seeds.tflites()[0], "model.keras": seeds.kerases()}  # fmt: skip
    files = {}
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        files[name] = File(file=name, bytes=len(content), sha256=sha256_of(path))
    if history:
        files["history.json"] = File(file="history.json", bytes=history.stat().st_size, sha256=sha256_of(history))
    return seeds.manifest(files)


def _json_or_bytes(content: bytes, draw: random.Random) -> bytes:
    return mutated_bytes(content, draw) if draw.random() < 0.2 else mutated_json(content, draw)


def _damaged_journal(content: bytes, draw: random.Random) -> bytes:
    """Return damaged lines, mostly with correct checksums, as an attacker would write them."""
    if draw.random() < 0.15:
        return mutated_bytes(content, draw)
    lines = content.splitlines()
    number = draw.randrange(len(lines))
    lines[number] = seeds.line(mutated_json(lines[number][9:], draw))[:-1]
    if draw.random() < 0.2:
        draw.shuffle(lines)
    return b"\n".join(lines) + b"\n"


def _damaged_npz(content: bytes, draw: random.Random) -> bytes:
    if draw.random() < 0.4:
        return mutated_bytes(content, draw)
    images, labels = seeds.npys()[:2]
    return seeds.npz(mutated_bytes(images, draw), mutated_bytes(labels, draw), deflated=draw.random() < 0.5)


def _open_bundle(path: Path) -> None:
    bundle = Bundle.open(path.parent)
    plan(bundle, Selection())
    pixel_checksums(bundle_workload(bundle, limit=5))
    training_summary(bundle)


def _read_history(path: Path) -> None:
    """Read the history with its checksum in the manifest, as an attacker would write it."""
    from edge_bench.app.figures.training import training

    (path.parent / "manifest.json").write_bytes(_bundle(path.parent, path))
    bundle = Bundle.open(path.parent)
    training_summary(bundle)
    if (history := bundle.history()) and history.loss:
        _drawn(training(history), path)


def _drawn(drawing: Drawing, path: Path) -> None:
    """Draw one in thirty, because drawing takes half a second."""
    if crc32(path.read_bytes()) % 30 == 0:
        inline_svg(drawing, Layout.COLUMN, "x")


def _use_run(path: Path, valid: Run) -> None:
    _use_runs(read_runs([path], Silent()), valid, page=crc32(path.read_bytes()) % 100 == 0)


def _use_runs(runs: list[Run], valid: Run, *, page: bool) -> None:
    """Render all tables and, if ``page``, the report with its pictures, which takes seconds."""
    for run in runs:
        outputs.show([run_table(run)])
    series = series_of([*runs, valid])
    outputs.show([answers_table(series), history_table(series, not_in_history(list(map(measured, runs))))])
    from edge_bench.app.cli.console import comparison_tables

    both = [*runs, valid]
    outputs.show(comparison_tables(compare(both)))
    if page:
        report_page(bundle_sections(both, []), lambda _: None)
    pairing = pair_runs(runs, [valid], across=True)
    found = changes(pairing)
    outputs.show([changes_table(found, judge(found, Limits(slower=0.05, accuracy_drop=0.5)), pairing.notes)])


def _use_journal(path: Path, valid: Run) -> None:
    run = read_run_or_journal(path)
    journal, _, _ = Journal.reopen(path)
    journal.close()
    _use_runs([run], valid, page=False)


def _use_offload(path: Path) -> None:
    read = read_offload(path)
    assessment = assess(read)
    outputs.show(offload_tables(read, assessment))
    if crc32(path.read_bytes()) % 100 == 0:
        report_page(bundle_sections([], [], [read]), lambda _: None)


def _use_labels(path: Path, pngs: Path) -> None:
    for classes, label_names in ((None, None), (path, None), (None, path)):
        try:
            list_images(pngs, path, classes, label_names)
        except BadInput:
            continue
    read_names(path)


def _use_npy(path: Path) -> None:
    try:
        load_arrays(path, path)
    except BadInput:
        load_arrays(path, None).inputs[:2].sum()


def _use_npz(path: Path) -> None:
    load_arrays(path, None).inputs[:2].sum()
