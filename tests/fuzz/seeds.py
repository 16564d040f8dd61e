"""Small valid files of every kind, made without TensorFlow."""

import io
import json
import zipfile
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from edge_bench.bench.io.record_codec import encode_record, pack
from edge_bench.bench.offload.network.link_profiles import link_from
from edge_bench.bench.offload.records.offload import LOCAL
from edge_bench.bench.records.delegate import DelegateLibrary, Delegation
from edge_bench.bench.records.journal.entries import (
    ConfigurationFailed,
    Entry,
    PowerMeasured,
    ProcessFinished,
    ProcessStarted,
    ProfileMade,
    RunStarted,
    TrialMade,
)
from edge_bench.bench.records.manifest import (
    DatasetInfo,
    File,
    History,
    Manifest,
    ModelInfo,
    Operator,
    Preprocessing,
    Split,
    TensorSpec,
    Variant,
)
from edge_bench.bench.records.power import MeteredPower, power_from
from edge_bench.bench.records.profile import Peaks
from edge_bench.bench.records.run import Failure, ProcessRecord, Run
from edge_bench.bench.system.machine import Finding
from edge_bench.bench.system.sensors import MachineState
from tests.factories import LABELS, arm, machine, offload, result, run
from tests.made.profiles import operator_time, profile
from tests.made.tflite import TfliteBuilder

__all__ = [
    "NCNN", "crasher", "histories", "images", "journals", "kerases", "labels", "line", "manifest", "npys", "npz",
    "offloads", "onnxes", "runs", "tflites",
]  # fmt: skip

INPUT = TensorSpec(dtype="float32", shape=[1, 4, 4, 1])
OUTPUT = TensorSpec(dtype="float32", shape=[1, 10])
POWER = MeteredPower(source="rapl", meter="RAPL", least_trial_s=0.05, idle_w=[1.0, 1.25], idle_seconds=10.0)


#: An ncnn model. Its weights are in another file.
NCNN = b"7767517\n2 2\nInput in0 0 1 in0 0=2 1=2 2=3 11=1\nInnerProduct dense 1 1 in0 out0 0=5 1=1 2=60\n"


def onnxes() -> list[bytes]:
    """Models with weights inside, and in another file."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    elsewhere = onnx.TensorProto(name="v", data_location=TensorProto.EXTERNAL)
    elsewhere.external_data.add(key="location", value="weights.bin")
    models = [helper.make_model(helper.make_graph([node], "g", [], [], [each])) for each in (tensor, elsewhere)]
    return [model.SerializeToString() for model in models]


def npys() -> list[bytes]:
    arrays: list[Any] = [np.arange(320, dtype=np.uint8).reshape(20, 4, 4, 1), np.arange(20, dtype=np.uint16) % 10]
    return [_saved(array) for array in [*arrays, np.zeros((3, 2), np.float32), np.asfortranarray(np.eye(4))]]


def _saved(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def npz(images: bytes, labels: bytes, *, deflated: bool = True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        archive.writestr("images.npy", images)
        archive.writestr("labels.npy", labels)
    return buffer.getvalue()


def kerases(config: bytes | None = None) -> bytes:
    """Return a small model as Keras 3 writes it, without its weights."""
    layers = [
        {"module": "keras.layers", "class_name": name, "config": {"name": name.lower()}, "registered_name": None}
        for name in ("InputLayer", "Flatten", "Dense")
    ]
    whole = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", json.dumps(whole).encode() if config is None else config)
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(64))
    return buffer.getvalue()


def images() -> list[bytes]:
    """Return one file of every format and pixel type that is decoded in its own way."""
    pixels = (np.arange(12 * 9 * 3) % 251).astype(np.uint8).reshape(12, 9, 3)
    colour = Image.fromarray(pixels)
    kinds = [("PNG", colour), ("JPEG", colour), ("BMP", colour), ("WEBP", colour), ("TIFF", colour), ("PPM", colour)]
    kinds += [("GIF", colour.convert("P")), ("PNG", colour.convert("RGBA")), ("PNG", colour.convert("P"))]
    kinds += [("PNG", Image.fromarray(pixels[..., 0].astype(np.uint16) * 200)), ("TIFF", colour.convert("F"))]
    kinds += [("TIFF", Image.fromarray(pixels[..., 0].astype(np.int32) * 200)), ("JPEG", colour.convert("CMYK"))]
    found = []
    for form, image in kinds:
        buffer = io.BytesIO()
        image.save(buffer, form)
        found.append(buffer.getvalue())
    return found


def labels(files: list[str]) -> list[bytes]:
    texts = [
        "\n".join(f"{name} {number % 3}" for number, name in enumerate(files)),
        "\n".join(f"{name},{'cat' if number % 2 else 'dog'}" for number, name in enumerate(files)),
        "\n".join(str(number % 3 + 1) for number, _ in enumerate(files)),
    ]
    return [text.encode() for text in texts]


def tflites() -> list[bytes]:
    """Return a dense layer with a softmax over ten classes, which runtimes can load."""
    made = TfliteBuilder()
    image, total, score = made.tensor(1, 16), made.tensor(1, 10), made.tensor(1, 10)
    weights = made.tensor(10, 16, data=np.arange(160, dtype=np.float32))
    made.operator("FULLY_CONNECTED", [image, weights, -1], [total], schema.FullyConnectedOptionsT())
    made.operator("SOFTMAX", [total], [score], schema.SoftmaxOptionsT(beta=1.0))
    made.metadata("min_runtime_version", b"1.5.0\0\0\0")
    return [made.content([image], [score])]


def manifest(files: dict[str, File]) -> bytes:
    """Return the manifest of a bundle with these files: test/images.npy, test/labels.npy and variants."""
    variants = [
        Variant(
            name=name.rsplit("/", 1)[-1].split(".")[0], precision="float32", input=INPUT, output=OUTPUT,
            operators=[Operator(name="FULLY_CONNECTED", version=1, count=1)] if name.endswith(".tflite") else [],
            **msgspec.structs.asdict(file),
        )
        for name, file in files.items() if name.endswith((".keras", ".tflite"))
    ]  # fmt: skip
    return encode_record(
        Manifest(
            created="2026-01-01T00:00:00+00:00",
            dataset=DatasetInfo(name="d", sha256="0" * 64, classes=[f"class {number}" for number in range(10)]),
            split=Split(train=10, validation=5, test=20),
            seed=42,
            model=ModelInfo(name="m", parameters=160),
            hyper_parameters={"epochs": 3, "optimizer": "Adam", "learning_rate": 0.001},
            preprocessing=Preprocessing(scale=1 / 255, offset=[0.0]),
            versions={"python": "3.11"},
            test_images=files["test/images.npy"],
            test_labels=files["test/labels.npy"],
            history=files.get("history.json"),
            variants=variants,
        )
    )


def histories() -> list[bytes]:
    values = [0.9, 0.5, 0.25]
    return [encode_record(History(loss=values, accuracy=values, val_loss=values, val_accuracy=values, seconds=values))]


def _full(variant: str, runtime: str, seconds: float, wrong: int) -> Any:
    """Return a result of twelve trials in which every field has a value."""
    made = result(variant, runtime, seconds, wrong, noise=0.02)
    record = ProcessRecord(index=0, import_ns=1, load_ns=2, first_inference_ns=3, warm_up_ns=4, warm_up_invocations=5,
                           memory_before_bytes=6, memory_peak_bytes=7)  # fmt: skip
    trials = [
        msgspec.structs.replace(
            trial, latencies=pack(np.arange(100) % 7 + 1000), cpu_ns=10**8, other_cpu_ns=10, other_cores_cpu_ns=5,
            steal_ns=0, temperature_c=50.0, power_w=3.0 + number / 8,
            image_positions=pack(np.arange(100)) if number % 2 else None,
        )
        for number, trial in enumerate(made.trials[:12])
    ]  # fmt: skip
    return msgspec.structs.replace(
        made, trials=trials, processes=[record], in_top_5=pack(np.ones(100, np.uint8)), unseen_positions=pack([3, 4]),
        warnings=["odd"], delegate="XNNPACK", runtime_version="2.0",
        profile=profile(operator_time(0, "CONV_2D", 3), operator_time(1, "ADD", 0), invocation=4, warnings=["w"],
                        peaks=Peaks(threads=1, macs_per_second={"float32": 1e9}, bytes_per_second=1e9, method="m")),
        delegations=[Delegation(name="XNNPACK", nodes=3, total_nodes=4, parts=2)],
        delegate_library=DelegateLibrary(path="/lib/x.so", bytes=10, sha256="0" * 64, version="1.0"),
    )  # fmt: skip


def runs() -> list[Run]:
    """Return two Runs of one bundle, from two machines."""
    failed = msgspec.structs.replace(
        result("int8", "litert", 1.0), trials=[], predictions=None,
        failure=Failure(kind="crashed", message="SIGSEGV", remedy="none"),
    )  # fmt: skip
    measured = [_full("keras", "tensorflow", 1.0, 1), _full("dynamic", "litert", 0.5, 3), failed]
    first = run(*measured)
    state = MachineState(temperature_c=50.0, frequency_low_mhz=600.0, firmware=0, busy_ns=10)
    first = msgspec.structs.replace(
        first, images=msgspec.structs.replace(first.images, checksums=pack(LABELS + 1), notes=["noted"]),
        findings=[Finding(what="busy", remedy="wait", spoils=False)], trusted=True, state_before=state,
        preprocessing=Preprocessing(scale=1 / 255, offset=0.0), ended="2026-01-01T00:01:00+00:00", power=POWER,
    )  # fmt: skip
    other = msgspec.structs.replace(
        first, machine=machine(hostname="pi", architecture="aarch64", frequency_mhz=1800.0, load_average=0.1),
        run_id="f" * 16, began="2026-01-02T00:00:00+00:00",
    )  # fmt: skip
    return [first, other]


def journals() -> list[list[Entry]]:
    """Return the journal of a run that was killed."""
    whole = runs()[0]
    begun = msgspec.structs.replace(
        whole, complete=False, ended="", power=None,
        results=[
            msgspec.structs.replace(
                each, trials=[], processes=[], predictions=None, in_top_5=None, unseen_positions=None, profile=None
            )
            for each in whole.results
        ],
    )  # fmt: skip
    entries: list[Entry] = [RunStarted(run=begun), PowerMeasured(power=POWER)]
    for number, each in enumerate(whole.results[:2]):
        entries.append(ProcessStarted(number=number, record=each.processes[0], delegate="", passes=1, chunks=1))
        entries += [
            TrialMade(number=number, generation=0, trial=trial, labels=pack(LABELS), in_top_5=pack(LABELS * 0))
            for trial in each.trials[:8]
        ]
        entries.append(ProcessFinished(number=number, process=0, memory_peak_bytes=9))
    entries += [ProfileMade(number=0, profile=whole.results[0].profile), ProfileMade(number=1, problem="no profile")]
    return [[*entries, ConfigurationFailed(number=2, failure=Failure(kind="crashed", message="gone"))]]


def line(payload: bytes) -> bytes:
    """Return a line of a journal with its correct checksum."""
    return b"%08x %s\n" % (crc32(payload), payload)


def offloads() -> list[bytes]:
    link = link_from("rtt=10ms,rate=1Mbit")
    made = offload(
        arm(4.0, where=LOCAL), arm(5.3), arm(27.3, link=link.name, network=20.0),
        links=(link,), power=power_from("pi4"), findings=[Finding(what="hot", remedy="cool it", spoils=True)],
    )  # fmt: skip
    return [encode_record(made)]


def crasher() -> bytes:
    """Return a valid .tflite that crashes LiteRT with a segmentation fault: it splits its input into 0 parts."""
    made = TfliteBuilder()
    axis = made.tensor(1, data=np.zeros(1, np.int32), kind="INT32")
    image, score = made.tensor(1, 16), made.tensor(1, 10)
    made.operator("SPLIT", [axis, image], [score], schema.SplitOptionsT(numSplits=0))
    return made.content([image], [score])
