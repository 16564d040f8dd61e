"""Check, operator by operator, whether a release of a runtime can load a model, without starting the runtime.

``known_releases.json`` lists the highest version of every operator that a release supports, as found by probing each
release (``tools/probe_releases.py``). A model that passes this check may still fail to load.

The custom operators of a release cannot be listed, only tested by name. The file has the results for some names and
releases. For all others it is unknown whether a release has a custom operator.
"""

import functools
import json
from collections.abc import Sequence
from importlib import resources

import msgspec

from edge_bench.bench.model_formats.tflite_operators import custom_code, is_flex
from edge_bench.bench.records.manifest import Operator

__all__ = [
    "EDGE_TPU",
    "FLEX",
    "Refusal",
    "Release",
    "Unsupported",
    "edge_tpu_refusal",
    "known_refusal",
    "known_releases",
    "unknown_operators",
    "unsupported",
]

#: Stands for all TensorFlow operators ("Select TF ops") among the custom operators of a release.
FLEX = "Flex"
#: The custom operator that edgetpu_compiler puts in place of the nodes for the Edge TPU.
EDGE_TPU = "edgetpu-custom-op"

EXPORT_AGAIN = {
    "FULLY_CONNECTED": "or export again with per-tensor dense layers, as `edge-bench export` does",
}


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A release of a runtime, with the highest supported version of each operator."""

    runtime: str
    version: str
    operators: dict[str, int]
    custom: dict[str, int] = {}  # version of each custom operator that was tested; 0 if it is missing


class Unsupported(msgspec.Struct, frozen=True, kw_only=True):
    """An operator that a release does not support, or only in older versions."""

    operator: str
    wanted: int  # version that the model needs
    has: int  # highest version that the release supports; 0 for none

    def __str__(self) -> str:
        if custom_code(self.operator) == "":
            return f"{self.operator} (a custom operator without a name)"
        support = f"has versions up to {self.has}" if self.has else "does not have it"
        return f"{self.operator} version {self.wanted} ({support})"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a release cannot load a model, and the remedy."""

    problem: str
    remedy: str


@functools.cache
def known_releases() -> tuple[Release, ...]:
    """Return all probed releases, by runtime, oldest first."""
    text = resources.files("edge_bench.bench.models").joinpath("known_releases.json").read_text(encoding="utf-8")
    known, content = [], json.loads(text)
    for runtime, releases in content["runtimes"].items():
        operators: dict[str, int] = {}
        for version, changes in releases.items():  # differences from the previous release; 0 means removed
            operators = {name: highest for name, highest in {**operators, **changes}.items() if highest}
            custom = content["custom"].get(runtime, {}).get(version, {})
            known.append(Release(runtime=runtime, version=version, operators=operators, custom=custom))
    return tuple(known)


def unsupported(operators: Sequence[Operator], release: Release) -> list[Unsupported]:
    """Return the model's operators that the release certainly does not support."""
    return [
        Unsupported(operator=operator.name, wanted=operator.version, has=has)
        for operator in operators
        if (has := _highest(operator.name, release)) is not None and operator.version > has
    ]


def unknown_operators(operators: Sequence[Operator], release: Release) -> list[str]:
    """Return the model's custom operators that were not tested in the release."""
    return sorted({operator.name for operator in operators if _highest(operator.name, release) is None})


def _highest(operator: str, release: Release) -> int | None:
    """Return the highest version of an operator that a release has; None if it is unknown."""
    name = custom_code(operator)
    if name is None:
        return release.operators.get(operator, 0)
    if not name:  # no release loads a custom operator without a name
        return 0
    return release.custom.get(FLEX if is_flex(operator) else name)


def known_refusal(operators: Sequence[Operator], runtime: str, version: str) -> Refusal | None:
    """Return why that release cannot load a model with these operators; None if no reason is known.

    Custom operators are not checked, since a build may provide its own.
    """
    release = next((item for item in known_releases() if (item.runtime, item.version) == (runtime, version)), None)
    if release is None or not (missing := _unsupported_builtin(operators, release)):
        return None
    return Refusal(
        problem=f"{runtime} {version} does not support {'; '.join(map(str, missing))}",
        remedy=_remedy(missing, operators),
    )


def edge_tpu_refusal(operators: Sequence[Operator]) -> Refusal | None:
    """Return why a model cannot be loaded without a delegate's library; None if it is not compiled for an Edge TPU."""
    if not any(custom_code(operator.name) == EDGE_TPU for operator in operators):
        return None
    return Refusal(
        problem=f"it is compiled for Coral's Edge TPU (operator {EDGE_TPU}) and needs its delegate",
        remedy="use --delegate libedgetpu.so.1, or measure the .tflite file from before the compilation",
    )


def _unsupported_builtin(operators: Sequence[Operator], release: Release) -> list[Unsupported]:
    return [item for item in unsupported(operators, release) if custom_code(item.operator) is None]


def _remedy(missing: Sequence[Unsupported], operators: Sequence[Operator]) -> str:
    capable = [release for release in known_releases() if not _unsupported_builtin(operators, release)]
    oldest = {release.runtime: release.version for release in reversed(capable)}
    remedies = [f"use {runtime} {version} or newer, which supports all" for runtime, version in oldest.items()]
    remedies += [EXPORT_AGAIN[item.operator] for item in missing if item.operator in EXPORT_AGAIN]
    return "; ".join(remedies) or "no known release supports all; export the model for an older TensorFlow Lite"
