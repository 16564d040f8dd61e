"""Check, operator by operator, whether a release of a runtime can load a model, without starting the runtime.

``known_releases.json`` lists the highest version of every operator that a release supports, as found by probing each
release (``tools/probe_releases.py``). A model that passes this check may still fail to load.
"""

import functools
import json
from collections.abc import Sequence
from importlib import resources

import msgspec

from edge_bench.bench.records.manifest import Operator

__all__ = ["Refusal", "Release", "Unsupported", "known_refusal", "known_releases", "unsupported"]

EXPORT_AGAIN = {
    "FULLY_CONNECTED": "or export again with per-tensor dense layers, as `edge-bench export` does",
}


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A release of a runtime, with the highest supported version of each operator."""

    runtime: str
    version: str
    operators: dict[str, int]


class Unsupported(msgspec.Struct, frozen=True, kw_only=True):
    """An operator that a release does not support, or only in older versions."""

    operator: str
    wanted: int  # version that the model needs
    has: int  # highest version that the release supports; 0 for none

    def __str__(self) -> str:
        support = f"has versions up to {self.has}" if self.has else "does not have it"
        return f"{self.operator} version {self.wanted} ({support})"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a release cannot load a model, and what to do."""

    problem: str
    remedy: str


@functools.cache
def known_releases() -> tuple[Release, ...]:
    """Return all probed releases, by runtime, oldest first."""
    text = resources.files("edge_bench.bench.models").joinpath("known_releases.json").read_text(encoding="utf-8")
    known = []
    for runtime, releases in json.loads(text)["runtimes"].items():
        operators: dict[str, int] = {}
        for version, changes in releases.items():  # differences from the previous release; 0 means removed
            operators = {name: highest for name, highest in {**operators, **changes}.items() if highest}
            known.append(Release(runtime=runtime, version=version, operators=operators))
    return tuple(known)


def unsupported(operators: Sequence[Operator], release: Release) -> list[Unsupported]:
    """Return the model's operators that the release does not support, including all custom operators."""
    return [
        Unsupported(operator=operator.name, wanted=operator.version, has=release.operators.get(operator.name, 0))
        for operator in operators
        if operator.version > release.operators.get(operator.name, 0)
    ]


def known_refusal(operators: Sequence[Operator], runtime: str, version: str) -> Refusal | None:
    """Return why that release cannot load a model with these operators; None if no reason is known.

    Custom operators are not checked, since a build may provide its own.
    """
    release = next((item for item in known_releases() if (item.runtime, item.version) == (runtime, version)), None)
    if release is None or not (missing := _unsupported_builtin(operators, release)):
        return None
    return Refusal(
        problem=f"{runtime} {version} cannot load it: {'; '.join(map(str, missing))}",
        remedy=_remedy(missing, operators),
    )


def _unsupported_builtin(operators: Sequence[Operator], release: Release) -> list[Unsupported]:
    return [item for item in unsupported(operators, release) if not item.operator.startswith("CUSTOM")]


def _remedy(missing: Sequence[Unsupported], operators: Sequence[Operator]) -> str:
    capable = [release for release in known_releases() if not _unsupported_builtin(operators, release)]
    oldest = {release.runtime: release.version for release in reversed(capable)}
    remedies = [f"{runtime} {version} or newer has all" for runtime, version in oldest.items()]
    remedies += [EXPORT_AGAIN[item.operator] for item in missing if item.operator in EXPORT_AGAIN]
    return "; ".join(remedies) or "no release that is known has all; export it for an older TensorFlow Lite"
