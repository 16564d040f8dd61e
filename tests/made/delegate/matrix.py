"""The outcomes that a delegate can have, each as a value of ``--delegate``, and what a Run then contains."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.run import Result
from tests.made.delegate import FULLY_CONNECTED

__all__ = ["LABELS", "assert_outcomes", "matrix"]

#: Classes of the examples for `brightness_tflite`, whose two nodes are a reshape and a dense layer.
LABELS = [0, 3, 7, 12, 5, 1]
_DELAY_US = 3000
_DENSE = f"operator={FULLY_CONNECTED}"
_OUTCOMES = {
    "works": _DENSE,
    "is slow": f"{_DENSE},delay_us={_DELAY_US}",
    "takes nothing": "operator=none",
    "refuses": "refuse=no such device",
    "has a wrong option": "devise=usb",
    "fails in prepare": f"{_DENSE},fail=prepare",
    "fails in invoke": f"{_DENSE},fail=invoke",
    "crashes in create": "crash=create",
    "crashes in prepare": "crash=prepare",
    "crashes in invoke": f"{_DENSE},crash=invoke",
}
#: Kind of the failure, and a part of its message.
_FAILURES = {
    "refuses": ("cannot load", "no such device"),
    "has a wrong option": ("cannot load", "devise"),
    "fails in prepare": ("cannot load", "on purpose in prepare"),
    "fails in invoke": ("cannot load", "on purpose in invoke"),
    "crashes in create": ("crashed", "SIGSEGV"),
    "crashes in prepare": ("crashed", "SIGSEGV"),
    "crashes in invoke": ("crashed", "SIGSEGV"),
}


def matrix(library: str) -> list[str]:
    """Return the values of ``--delegate``: without a library, and with one for each outcome."""
    return ["default", "none", *(f"{library},{options}" for options in _OUTCOMES.values())]


def assert_outcomes(results: Sequence[Result], library: Path) -> None:
    """Assert that the results of one runtime, in the order of `matrix`, are as they should be."""
    found = dict(zip(["default", "none", *_OUTCOMES], results, strict=True))
    for name in found.keys() - _FAILURES.keys():
        assert found[name].failure is None, (name, found[name].failure)
        assert found[name].labels().tolist() == LABELS, name
    assert [(each.nodes, each.total_nodes) for each in found["none"].delegations] == [(0, 2)]
    assert found["none"].delegate == ""
    for name, options in _OUTCOMES.items():
        assert found[name].configuration.delegate == f"{library.name},{options}"
        record = found[name].delegate_library
        assert record is not None
        assert record.sha256 == hashlib.sha256(library.read_bytes()).hexdigest()
    for name in ("works", "is slow"):
        assert found[name].delegations[0] == Delegation(name=library.name, nodes=1, total_nodes=2, parts=1)
        assert not any(library.name in warning for warning in found[name].warnings)
    assert min(unpack(trial.latencies).min() for trial in found["is slow"].trials) >= 1000 * _DELAY_US
    assert found["takes nothing"].delegations[0].nodes == 0
    assert any(library.name in warning for warning in found["takes nothing"].warnings)
    for name, (kind, mention) in _FAILURES.items():
        failure = found[name].failure
        assert failure is not None, name
        assert failure.kind == kind, (name, failure)
        assert mention in failure.message
        assert "--delegate" in failure.remedy
        assert not found[name].trials
