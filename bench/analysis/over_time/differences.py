"""What differs between two Runs besides their times."""

from edge_bench.bench.analysis.labels.same_images import differing_pixels
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.run import Run

__all__ = ["differences"]


def differences(current: RunResult, previous: RunResult) -> list[str]:
    """Return the differences between two Runs that are the likeliest reasons for a changed time."""
    run, result, earlier, old = current.run, current.result, previous.run, previous.result
    replaced = differing_pixels(run, earlier)
    pairs = [
        (result.configuration.runtime, old.runtime_version, result.runtime_version),
        ("edge-bench", _tool_version(earlier), _tool_version(run)),
        ("Python", earlier.machine.python, run.machine.python),
        ("kernel", earlier.machine.kernel, run.machine.kernel),
        ("governor", earlier.machine.governor, run.machine.governor),
        ("cores", str(earlier.machine.cores), str(run.machine.cores)),
        ("CPU", earlier.machine.cpu, run.machine.cpu),
    ]
    changed = [f"{name} {before or '?'} → {after or '?'}" for name, before, after in pairs if before != after]
    return changed + ([f"pixels of {replaced:,} {'image' if replaced == 1 else 'images'}"] if replaced else [])


def _tool_version(run: Run) -> str:
    return f"{run.tool_version} ({run.tool_revision})"
