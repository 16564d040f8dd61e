"""Runs with nine configurations, as `make bench` makes them."""

from typing import Any

import msgspec

from edge_bench.bench.measure.trust import trial_findings
from edge_bench.bench.records.run import ProcessRecord, Run
from tests.factories import machine, result, run

__all__ = ["nine", "on_pi"]

#: variant, runtime, seconds per pass, wrong images of 100, bytes, deviation of processes as a share
_NINE = (
    ("keras", "tensorflow", 0.0371, 5, 1_500_000, 0.10),
    ("float32", "tflite-runtime", 0.0100, 5, 500_000, 0.20),
    ("float16", "tflite-runtime", 0.0110, 5, 250_000, 0.02),
    ("dynamic", "tflite-runtime", 0.0040, 4, 135_000, 0.02),
    ("int8", "tflite-runtime", 0.0050, 9, 138_000, 0.02),
    ("float32", "litert", 0.0090, 5, 500_000, 0.02),
    ("float16", "litert", 0.0090, 5, 250_000, 0.30),
    ("dynamic", "litert", 0.0030, 4, 135_000, 0.02),
    ("int8", "litert", 0.0036, 30, 138_000, 0.02),
)
_PROCESS = ProcessRecord(
    index=0, import_ns=1, load_ns=1, first_inference_ns=1, warm_up_ns=1, warm_up_invocations=1,
    memory_before_bytes=1, memory_peak_bytes=60 << 20,
)  # fmt: skip


def nine(slower: float = 1.0, **changes: Any) -> Run:
    """A Run of a desktop whose times are not reliable, since two configurations vary by 10 % or more."""
    results = [
        msgspec.structs.replace(result(variant, runtime, slower * seconds, wrong, size, noise), processes=[_PROCESS])
        for variant, runtime, seconds, wrong, size, noise in _NINE
    ]
    made = run(*results)
    findings = trial_findings(made.results, made.machine)
    return msgspec.structs.replace(made, **({"findings": findings, "trusted": False} | changes))


def on_pi() -> Run:
    """The same on a Raspberry Pi, ten times slower."""
    pi = machine(hostname="raspberrypi", architecture="aarch64", board="Raspberry Pi 4 Model B Rev 1.5")
    return nine(10.0, machine=pi)
