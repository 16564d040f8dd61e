"""Whether a runtime can load a model, from what is known of its releases: operator by operator, before anything starts.

``known_releases.json`` was made by asking each release itself (``tools/probe_releases.py``): the highest version
that it has of every operator. What a release does with a model that passes is only known after it was tried.
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
    """A release of a runtime: the highest version it has of each operator that it has."""

    runtime: str
    version: str
    operators: dict[str, int]


class Unsupported(msgspec.Struct, frozen=True, kw_only=True):
    """An operator that a release lacks, or has in older versions only."""

    operator: str
    wanted: int
    has: int  # 0: none

    def __str__(self) -> str:
        there = f"has versions up to {self.has}" if self.has else "does not have it"
        return f"{self.operator} version {self.wanted} ({there})"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a release cannot load a model, and what to do."""

    problem: str
    remedy: str


@functools.cache
def known_releases() -> tuple[Release, ...]:
    """All releases that were asked, runtime by runtime, oldest first."""
    text = resources.files("edge_bench.bench.models").joinpath("known_releases.json").read_text(encoding="utf-8")
    found = []
    for runtime, releases in json.loads(text)["runtimes"].items():
        operators: dict[str, int] = {}
        for version, changes in releases.items():  # each says what differs from the one before; 0: gone
            operators = {name: top for name, top in {**operators, **changes}.items() if top}
            found.append(Release(runtime=runtime, version=version, operators=operators))
    return tuple(found)


def unsupported(operators: Sequence[Operator], release: Release) -> list[Unsupported]:
    """What a model asks for that the release does not have; custom operators are never known to be there."""
    return [
        Unsupported(operator=operator.name, wanted=operator.version, has=release.operators.get(operator.name, 0))
        for operator in operators
        if operator.version > release.operators.get(operator.name, 0)
    ]


def known_refusal(operators: Sequence[Operator], runtime: str, version: str) -> Refusal | None:
    """What stops that release from loading a model with these operators; None where nothing is known to.

    Custom operators are left to the trial: a build may have brought its own.
    """
    release = next((each for each in known_releases() if (each.runtime, each.version) == (runtime, version)), None)
    if release is None:
        return None
    lacking = [each for each in unsupported(operators, release) if not each.operator.startswith("CUSTOM")]
    if not lacking:
        return None
    return Refusal(
        problem=f"{runtime} {version} cannot load it: {'; '.join(map(str, lacking))}",
        remedy=_remedy(lacking, operators),
    )


def _remedy(lacking: Sequence[Unsupported], operators: Sequence[Operator]) -> str:
    able = [
        release
        for release in known_releases()
        if not [each for each in unsupported(operators, release) if not each.operator.startswith("CUSTOM")]
    ]
    oldest = {release.runtime: release.version for release in reversed(able)}
    ways = [f"{runtime} {version} or newer has all" for runtime, version in oldest.items()]
    ways += [EXPORT_AGAIN[each.operator] for each in lacking if each.operator in EXPORT_AGAIN]
    return "; ".join(ways) or "no release that is known has all; export it for an older TensorFlow Lite"
