"""Delegates of a Run: how many nodes of each model they run, and with which library."""

from typing import Any

import msgspec

from edge_bench.bench.records.run import Result, Run

__all__ = ["delegate_notes", "delegate_record", "nodes_text"]


def nodes_text(result: Result) -> str:
    """Return ``libx.so runs 8 of 13 nodes in 2 parts, XNNPACK 3``; empty if they were not counted."""
    counted = [each for each in result.delegations if each.nodes or result.configuration.delegate]
    if not counted:
        return ""
    first, *others = counted
    parts = f" in {first.parts} parts" if first.parts > 1 else ""
    texts = [f"{first.name} runs {first.nodes} of {first.total_nodes} nodes{parts}"]
    return ", ".join([*texts, *(f"{each.name} {each.nodes}" for each in others)])


def delegate_record(result: Result) -> dict[str, Any]:
    """Return the fields of a row about delegates."""
    return {
        "delegate": result.configuration.delegate,
        "delegate_library": msgspec.to_builtins(result.delegate_library),
        "delegations": msgspec.to_builtins(result.delegations),
        "runtime_delegate": result.delegate,
    }


def delegate_notes(run: Run) -> list[str]:
    """Return a note on each configuration with a delegate, and one on each library; none if no delegate is set."""
    if not any(result.configuration.delegate for result in run.results):
        return []
    notes = [f"{result.configuration}: {text}" for result in run.results if (text := nodes_text(result))]
    libraries = {}
    for result in run.results:
        if (library := result.delegate_library) is not None:
            reported = next((each.version for each in result.delegations if each.version), "")
            version = f", version {reported or library.version}" if reported or library.version else ""
            libraries[library.path] = f"delegate {library.path}{version}, SHA-256 {library.sha256[:16]}"
    return [*notes, *libraries.values()]
