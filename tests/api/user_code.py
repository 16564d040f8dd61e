"""A program of a user, which mypy checks strictly."""

import numpy as np
import numpy.typing as npt

import edge_bench

__all__ = ["main"]


def main(model: str, results: str) -> dict[str, float]:
    """Measure a model and return the median of each configuration in ms."""
    try:
        run: edge_bench.Run = edge_bench.run(
            model, runtimes=["litert"], trials=1, processes=1, results=results, range={"t0": (0, 1)}, task="tensor"
        )
    except edge_bench.BadInput as error:
        raise SystemExit(f"{error.problem}: {error.remedy}") from error
    runs: edge_bench.Runs = edge_bench.load([results])
    comparison = edge_bench.compare(runs, history=[run])
    verdicts: list[str] = [str(row.verdict) for row in comparison.rows]
    assert len(verdicts) == len(run.configurations)
    values: list[dict[str, npt.NDArray[np.float64]]] = run.tensors()
    assert len(values) == len(run.examples)
    frame = runs[0].to_frame()
    return dict(zip(frame["variant"], frame["median_ms"], strict=True))


def mistakes() -> None:
    """Make mistakes that a type checker finds; mypy reports those it does not find."""
    edge_bench.lode("results")  # type: ignore[attr-defined]
    edge_bench.run("model.tflite", trails=3)  # type: ignore[call-arg]
    edge_bench.run("model.tflite", crop="all")  # type: ignore[arg-type]
    edge_bench.run("model.tflite").mask()  # type: ignore[attr-defined]
