"""Predictions of the models of a bundle or a file on devices, with all that a reader needs to trust them or not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.memory_estimate import tflite_need
from edge_bench.bench.prediction.choice import choose_parameters, kernels_of, unmodelled_deviation
from edge_bench.bench.prediction.device_file import Device, Kind, ParameterSet
from edge_bench.bench.prediction.model_operators import ModelOperators, operators_of
from edge_bench.bench.prediction.predict import Prediction, predict_latency
from edge_bench.bench.prediction.work import CLASSES
from edge_bench.bench.records.bundle import Bundle

__all__ = ["PredictedModel", "Subject", "predict_all", "predict_model", "subjects"]

_MEMORY_BOUND = 0.5


class Subject(msgspec.Struct, frozen=True):
    """A model whose latency is predicted."""

    name: str  # of its variant in a bundle, or of its file
    operators: ModelOperators
    memory_bytes: int  # a lower bound of the memory it needs


class PredictedModel(msgspec.Struct, frozen=True, kw_only=True):
    """The prediction of one model on one device, or why there is none."""

    label: Literal["PREDICTED"] = "PREDICTED"
    model: str
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
    clock_ghz: float = 0.0
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
    if not path.is_dir():
        if path.suffix != ".tflite":
            raise BadInput(
                f"{path}: latencies are predicted for .tflite models and bundles",
                "convert it with edge-bench export, then predict the bundle",
            )
        return [_subject(path.name, path)]
    bundle = Bundle.open(path)
    chosen = [bundle.variant(name) for name in variants] if variants else bundle.variants
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
    return Subject(name, operators, need.total() + need.mapped)


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
    parameters = choose_parameters(device, model.operators, threads, kernels_of(runtime), clock_ghz)
    clock = clock_ghz or device.clock_ghz
    prediction = predict_latency(
        model.operators.operators, parameters, clock, extra_deviation=unmodelled_deviation(model.operators)
    )
    return msgspec.structs.replace(
        _base(model, device, threads, runtime),
        prediction=prediction,
        limited_by=_limit(prediction),
        method=parameters.method,
        clock_ghz=clock,
        rows=parameters.rows,
        families=parameters.families,
        sources=parameters.sources,
        unseen=_unseen(prediction, parameters),
    )


def _base(
    model: Subject, device: Device, threads: int, runtime: str, refusal: str = "", remedy: str = ""
) -> PredictedModel:
    return PredictedModel(
        model=model.name,
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
    """Return what most of the time is spent on."""
    if prediction.memory_share > _MEMORY_BOUND:
        return "memory"
    return "overhead" if prediction.overhead_share > _MEMORY_BOUND else "compute"


def _unseen(prediction: Prediction, parameters: ParameterSet) -> dict[str, float]:
    """Return classes with a larger share of the time than in any model of the fit, by at least a tenth of the time."""
    found = {}
    for kind in CLASSES:
        share, most = prediction.shares.get(kind, 0.0), parameters.range_shares.get(kind, (0.0, 1.0))[1]
        if share > most + 0.1:
            found[kind] = share
    return found
