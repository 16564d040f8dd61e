"""What else changed between the last good night and a change."""

from edge_bench.bench.analysis.times.differences import differences
from edge_bench.bench.records.run import Configuration, Run

__all__ = ["changed_since"]


def changed_since(before: Run, after: Run, configuration: Configuration) -> list[str]:
    """Return differences between two Runs as phrases such as ``kernel 6.1 → 6.6``: model, data, software, machine.

    The list is empty if nothing changed that a Run records.
    """
    old, new = (
        next((each for each in run.results if each.configuration == configuration), None) for run in (before, after)
    )
    phrases = []
    if old is not None and new is not None and old.sha256 != new.sha256:
        phrases.append(f"model {old.sha256[:8]} → {new.sha256[:8]}")
    if before.bundle.dataset_sha256 != after.bundle.dataset_sha256 or before.bundle.dataset != after.bundle.dataset:
        phrases.append(f"data {_data(before)} → {_data(after)}")
    if before.preprocessing != after.preprocessing:
        phrases.append("preprocessing")
    if old is None or new is None:
        return phrases
    return phrases + differences(before, old, after, new, apart=False)


def _data(run: Run) -> str:
    return f"{run.bundle.dataset} {run.bundle.dataset_sha256[:8]}".strip()
