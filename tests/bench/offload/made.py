"""Offloads made of known numbers."""

from typing import Any

import numpy as np

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.offload.network.link_profiles import DIRECT, Link
from edge_bench.bench.offload.records.offload import (
    LOCAL,
    Accuracy,
    Arm,
    ArmTrial,
    Offload,
    OffloadSettings,
    PathProbe,
    ServerIdentity,
)
from edge_bench.bench.records.run import BundleIdentity, Configuration, Images
from tests.bench.analysis.test_comparison import LABELS, machine

IMAGES = 100
#: What a remote image costs beside the link, in milliseconds.
PARTS = {
    "encode": 0.5, "send": 0.1, "wait": 4.4, "receive": 0.1, "decode": 0.2, "queue": 0.1, "unpack": 0.3,
    "compute": 3.0, "server": 4.0,
}  # fmt: skip


def arm(
    milliseconds: float, *, noise: float = 0.002, where: str = "remote", network: float = 0.0, **changes: Any
) -> Arm:
    """Thirty trials in five processes; ``network`` milliseconds of it are spent on the link."""
    generator = np.random.default_rng(int(milliseconds * 1000) + len(str(changes)))
    trials = []
    for number in range(30):
        scale = generator.normal(1, noise)
        latencies = np.full(IMAGES, milliseconds * 1e6 * scale).astype(np.int64)
        parts = {"prepare": 0.1, "model": milliseconds - 0.1} if where == LOCAL else PARTS | {"wait": 4.4 + network}
        packed = {name: pack(np.full(IMAGES, value * 1e6 * scale).astype(np.int64)) for name, value in parts.items()}
        trials.append(
            ArmTrial(
                process=number // 6, round=number % 6, sequence_number=number, began_ns=number, passes=1,
                elapsed_ns=int(latencies.sum()), latencies=pack(latencies), parts=packed,
            )
        )  # fmt: skip
    fields: dict[str, Any] = {"payload": "raw", "link": DIRECT, "bytes_up": 1000.0, "bytes_down": 500.0}
    if where == LOCAL:
        fields = {}
    return Arm(where=where, trials=trials, **(fields | changes))


def offload(*arms: Arm, links: tuple[Link, ...] = (), wrong: int = 0, **changes: Any) -> Offload:
    """The bundle's first hundred images; sending gets ``wrong`` of them wrong, staying none."""
    sent = LABELS.copy()
    sent[:wrong] = (sent[:wrong] + 1) % 10
    fields: dict[str, Any] = {
        "offload_id": "0123456789abcdef", "began": "2026-01-01T00:00:00+00:00", "ended": "", "wall_seconds": 1.0,
        "complete": True, "tool_version": "", "tool_revision": "", "machine": machine(hostname="pi"),
        "server": ServerIdentity(url="http://desk:8000", model="m", hostname="desk", variant="keras"),
        "bundle": BundleIdentity(
            sha256="b", created="", model="m", parameters=1, dataset="d", dataset_sha256="", classes=["0"] * 10
        ),
        "settings": OffloadSettings(),
        "images": Images(indices=pack(np.arange(100)), labels=pack(LABELS), total_images=100),
        "timed": IMAGES, "model_sha256": "", "runtime_version": "", "links": list(links),
        "configuration": Configuration(variant="dynamic", runtime="litert", threads=1, batch_size=1),
        "path": PathProbe(rtt_s=0.1e-3, empty_s=0.4e-3, up_bps=1e9),
        "accuracies": [
            Accuracy(payload="", predictions=pack(LABELS)), Accuracy(payload="raw", predictions=pack(sent))
        ],
    }  # fmt: skip
    return Offload(arms=list(arms), **(fields | changes))
