"""Predictions of the models of a bundle or a file on devices, with all that a reader needs to trust them or not."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import TfliteFile, read_tflite
from edge_bench.bench.models.memory_estimate import tflite_need
from edge_bench.bench.prediction.choice import (
    MEASURED_WITH,
    choose_parameters,
    clock_deviation,
    kernels_of,
    unmodelled_deviation,
)
from edge_bench.bench.prediction.device_file import Device, Kind, ParameterSet
from edge_bench.bench.prediction.model_operators import ModelOperators, operators_of
from edge_bench.bench.prediction.predict import Prediction, predict_latency
from edge_bench.bench.prediction.work import CLASSES
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.runtimes import SAVED_MODEL
from edge_bench.bench.wording import listed, size

__all__ = ["PredictedModel", "Subject", "predict_all", "predict_model", "subjects"]

_IMAGES = 4  # axes of an input with images: number, height, width, channels
_MOST_WIDE = 1e4  # ratio of the ends of the 90 % interval


class Subject(msgspec.Struct, frozen=True):
    """A model whose latency is predicted."""

    name: str  # of its variant in a bundle, or of its file
    operators: ModelOperators
    memory_bytes: int  # a lower bound of the memory it needs
    graph: str = ""  # the graph that is predicted, if the file has several that can be called
    other_graphs: list[str] = []
    fixed_batch: int = 1  # images of one inference, if the file takes no other number


class PredictedModel(msgspec.Struct, frozen=True, kw_only=True):
    """The prediction of one model on one device, or why there is none."""

    label: Literal["PREDICTED"] = "PREDICTED"
    model: str
    graph: str = ""  # the one that is predicted, if the file has several that can be called
    other_graphs: list[str] = []
    device: str
    board: str
    threads: int
    runtime: str
    kernels: str
    precision: str
    scheme: str
    refusal: str = ""  # why nothing is predicted
    remedy: str = ""
    prediction: Prediction | None = None
    limited_by: Literal["", "compute", "memory", "overhead"] = ""
    method: Kind | Literal[""] = ""
    clock_ghz: float = 0.0  # 0: unknown
    fitted_clock_ghz: float = 0.0  # of the latencies
    measured_with: str = ""  # runtime and version of the latencies
    rows: int = 0  # of the fit
    families: list[str] = []
    sources: list[str] = []
    unseen: dict[str, float] = {}  # classes of operators with more of the time than in any model of the fit → share
    unmodelled: dict[str, int] = {}
    unmodelled_share: float = 0.0
    memory_bytes: int = 0  # at least
    device_memory_bytes: list[int] = []  # of the board's versions
    calibrated: str = ""
    reliable: bool = True
    leave_one_out_error: float | None = None


def subjects(path: Path, variants: Sequence[str] | None = None) -> list[Subject]:
    """Return the models of a .tflite file or of a bundle; raise BadInput if there are none."""
    if not path.is_dir() or (path / SAVED_MODEL).exists():
        if variants:
            raise BadInput(f"--variant {variants[0]}: {path} is not a bundle", "omit --variant")
        if not path.exists():
            raise BadInput(f"{path}: no such file or bundle", "check the path")
        if path.suffix != ".tflite":
            converted = f"convert it: edge-bench export {path} --bundle FOLDER, then predict that bundle"
            raise BadInput(
                f"{path}: latencies are predicted for .tflite models and bundles",
                converted if path.is_dir() or path.suffix == ".keras" else "use the .tflite file of this model",
            )
        return [_subject(path.name, path)]
    bundle = Bundle.open(path)
    chosen = [bundle.variant(name) for name in variants] if variants else bundle.variants
    if variants and (other := [each.name for each in chosen if Path(each.file).suffix != ".tflite"]):
        raise BadInput(f"--variant {other[0]}: not a .tflite model", "choose variants that are .tflite models")
    found = [_subject(each.name, bundle.checked(each)) for each in chosen if Path(each.file).suffix == ".tflite"]
    if not found:
        raise BadInput(f"{path}: no variant to predict is a .tflite model", "export the model as .tflite")
    return found


def _subject(name: str, path: Path) -> Subject:
    file = read_tflite(path)
    need = tflite_need(file)
    try:
        operators = operators_of(file)
    except ValueError as cause:
        raise BadInput(f"{path}: invalid or truncated .tflite file: {cause}", "copy or export it again") from None
    batches = (each.fixed_batch or 1 for each in file.inputs if len(each.shape) == _IMAGES)
    return Subject(name, operators, need.total() + need.mapped, *_graphs(file), max(batches, default=1))


def _graphs(file: TfliteFile) -> tuple[str, list[str]]:
    """Return the name of the main graph and of others that can be called; nothing if there are no others."""
    others = [each.key for each in file.signatures if each.graph != 0]
    main = listed([each.key for each in file.signatures if each.graph == 0]) or file.graphs[0].name or "the first"
    return (main, others) if others else ("", [])


def predict_all(
    models: Sequence[Subject],
    devices: Sequence[Device],
    threads: Sequence[int],
    runtime: str = "litert",
    clock_ghz: float | None = None,
) -> list[PredictedModel]:
    """Return a prediction, or the reason why there is none, for every model, device and number of threads."""
    kernels_of(runtime)
    found = []
    for model in models:
        for device in devices:
            for count in threads:
                try:
                    found.append(predict_model(model, device, count, runtime, clock_ghz))
                except BadInput as cause:
                    found.append(_base(model, device, count, runtime, refusal=cause.problem, remedy=cause.remedy))
    return found


def predict_model(
    model: Subject, device: Device, threads: int = 1, runtime: str = "litert", clock_ghz: float | None = None
) -> PredictedModel:
    """Return the prediction of one model; raise BadInput if it is refused."""
    kernels = kernels_of(runtime)
    if model.fixed_batch > 1:
        raise BadInput(
            f"this model takes only batches of {model.fixed_batch}, but one example per inference is predicted",
            "export it with a batch of 1, or of any size",
        )
    parameters = choose_parameters(device, model.operators, threads, kernels, clock_ghz)
    _require_memory(model, device)
    clock, operators = clock_ghz or device.clock_ghz, model.operators.operators
    widened = unmodelled_deviation(model.operators)
    prediction = predict_latency(operators, parameters, clock, extra_deviation=widened)
    if clock != parameters.clock_ghz:
        there = predict_latency(operators, parameters).milliseconds
        other = clock_deviation(there, prediction.milliseconds, clock / parameters.clock_ghz)
        prediction = predict_latency(operators, parameters, clock, extra_deviation=math.hypot(widened, other))
    if prediction.interval_90[1] > _MOST_WIDE * prediction.interval_90[0]:
        raise BadInput(
            f"the parameters of {device.name} are too uncertain for this model: its time may be more than "
            f"{math.sqrt(_MOST_WIDE):.0f} times the predicted one",
            "measure it on the device, or calibrate the device again",
        )
    return msgspec.structs.replace(
        _base(model, device, threads, runtime),
        prediction=prediction,
        limited_by=_limit(prediction),
        method=parameters.method,
        clock_ghz=clock if device.clock_known else 0.0,
        fitted_clock_ghz=parameters.clock_ghz if device.clock_known else 0.0,
        measured_with=device.calibrated if parameters.method == "own calibration" else MEASURED_WITH[kernels],
        rows=parameters.rows,
        families=parameters.families,
        sources=parameters.sources,
        unseen=_unseen(prediction, parameters),
    )


def _require_memory(model: Subject, device: Device) -> None:
    """Raise BadInput if the model does not fit into any version of the device."""
    most = max(device.memory_mb, default=0) << 20
    if most and model.memory_bytes > most:
        raise BadInput(
            f"it needs at least {size(model.memory_bytes)} of memory, but {device.board} has {size(most)}",
            "use a smaller model, or a device with more memory",
        )


def _base(
    model: Subject, device: Device, threads: int, runtime: str, refusal: str = "", remedy: str = ""
) -> PredictedModel:
    return PredictedModel(
        model=model.name,
        graph=model.graph,
        other_graphs=model.other_graphs,
        device=device.name,
        board=device.board,
        threads=threads,
        runtime=runtime,
        kernels=kernels_of(runtime),
        precision=model.operators.precision,
        scheme=model.operators.scheme,
        refusal=refusal,
        remedy=remedy,
        unmodelled=model.operators.unmodelled,
        unmodelled_share=model.operators.unmodelled_share,
        memory_bytes=model.memory_bytes,
        device_memory_bytes=[size << 20 for size in device.memory_mb],
        calibrated=device.calibrated,
        reliable=device.reliable,
        leave_one_out_error=device.leave_one_out_error,
    )


def _limit(prediction: Prediction) -> Literal["compute", "memory", "overhead"]:
    """Return what takes most of the time."""
    computing = 1 - prediction.memory_share - prediction.overhead_share
    if computing >= max(prediction.memory_share, prediction.overhead_share):
        return "compute"
    return "memory" if prediction.memory_share >= prediction.overhead_share else "overhead"


def _unseen(prediction: Prediction, parameters: ParameterSet) -> dict[str, float]:
    """Return classes with a larger share of the time than in any model of the fit, by at least a tenth of the time."""
    found = {}
    for kind in CLASSES:
        share, most = prediction.shares.get(kind, 0.0), parameters.range_shares.get(kind, (0.0, 1.0))[1]
        if share > most + 0.1:
            found[kind] = share
    return found
