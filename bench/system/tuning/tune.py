"""Change and restore the settings of a plan. A record of all original values is on disk before the first change.

A process that is killed at any point leaves either the record or unchanged settings. A setting whose content is its
original one is not written when settings are restored, so it does not matter which changes were made.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.system.cores import cores_in
from edge_bench.bench.system.machine import in_container
from edge_bench.bench.system.tuning import record
from edge_bench.bench.system.tuning.kernel_files import KernelFiles
from edge_bench.bench.system.tuning.record import FOLDER, Original, Tuned
from edge_bench.bench.system.tuning.settings import Change, Group, Plan, group_of

__all__ = ["Outcome", "apply", "drop_stale", "require_access", "restore"]


class Outcome(NamedTuple):
    """A setting that was written, and why the kernel did not accept it; empty if it did."""

    path: str
    problem: str
    essential: bool  # False: an interrupt that the kernel does not let move, or whose device is gone


def require_access(files: KernelFiles, changes: Iterable[Change], command: str) -> None:
    """Raise BadInput unless this process can write all these settings, and a record that is kept.

    ``command`` is the one that the remedy names.
    """
    root = files.root
    wanted = [change.path for change in changes]
    refused = next((path for path in [*wanted, str(FOLDER)] if not files.can_write(path)), None)
    container = in_container(root)
    if refused is not None and container:
        raise BadInput(f"/{refused} cannot be written in this container", f"run it on the host: {command}")
    if refused is not None and os.geteuid():
        raise BadInput(f"changing /{refused} needs root", command)
    if refused is not None:
        raise BadInput(f"/{refused} cannot be written: its file system is read-only", "run it where it is not")
    if container and not (root / FOLDER).is_mount():
        raise BadInput(
            f"the original values would be lost with this container: /{FOLDER} is no mount",
            f"run it on the host: {command}; or give the container -v /{FOLDER}:/{FOLDER}",
        )
    if not record.boot_id(root):
        raise BadInput("the kernel states no boot id, so it would be unknown whether settings can be restored")


def drop_stale(root: Path, tuned: Tuned | None) -> bool:
    """Remove a record from before the last restart, which has reset all settings; return whether there was one."""
    if tuned is None or tuned.boot == record.boot_id(root):
        return False
    record.remove(root)
    return True


def apply(files: KernelFiles, plan: Plan, tuned: Tuned | None) -> list[Outcome]:
    """Record the original values, make the changes, and check each by reading it back.

    ``tuned`` is the record of earlier changes, whose original values are kept. The caller has locked the folder. Raise
    EdgeBenchError, and change nothing, if a setting is not as in the plan any more.
    """
    for change in plan.changes:
        if files.read(change.path) != change.now:
            raise EdgeBenchError(f"/{change.path} was changed by another program in the meantime", "run it again")
    boot = record.boot_id(files.root)
    earlier = {} if tuned is None else {each.path: each for each in tuned.originals}
    for change in plan.changes:
        first = earlier.get(change.path)
        content, then = (change.now, change.then) if first is None else (first.content, change.then or first.then)
        earlier[change.path] = Original(path=change.path, content=content, then=then)
    began = record.now() if tuned is None else tuned.began
    with defer_interrupts():
        record.write(files.root, Tuned(boot=boot, began=began, cpus=plan.cpus, originals=list(earlier.values())))
        return [_changed(files, change.path, change.then) for change in plan.changes if change.then is not None]


def restore(files: KernelFiles, tuned: Tuned) -> list[Outcome]:
    """Write all original values in reverse order, and check each. Remove the record unless one is refused.

    The whole record is kept otherwise, because a setting that is restored later may change those that depend on it.

    The caller has locked the folder.
    """
    with defer_interrupts():
        outcomes = [_restored(files, each) for each in reversed(tuned.originals)]
        if not any(each.problem and each.essential for each in outcomes):
            record.remove(files.root)
    return outcomes


def _changed(files: KernelFiles, path: str, then: str) -> Outcome:
    problem = ""
    try:
        files.write(path, f"{then}\n".encode())
        if not _same(path, found := files.text(path), then):
            problem = f"the kernel set {found or 'nothing'} instead of {then}"
    except OSError as cause:
        problem = why_unreadable(cause)
    return Outcome(path, problem, group_of(path) is not Group.INTERRUPTS)


def _restored(files: KernelFiles, original: Original) -> Outcome:
    is_interrupt = group_of(original.path) is Group.INTERRUPTS
    try:
        if files.read(original.path) == original.content:
            return Outcome(original.path, "", essential=True)
        files.write(original.path, original.content)
        if (found := files.read(original.path)) != original.content:
            return Outcome(original.path, f"it is {found.decode(errors='replace').strip()!r} now", essential=True)
    except FileNotFoundError as cause:  # an interrupt ends with its device
        return Outcome(original.path, why_unreadable(cause), essential=not is_interrupt)
    except OSError as cause:
        return Outcome(original.path, why_unreadable(cause), essential=True)
    return Outcome(original.path, "", essential=True)


def _same(path: str, found: str, wanted: str) -> bool:
    if group_of(path) is not Group.INTERRUPTS:
        return found == wanted
    try:
        return cores_in(found) == cores_in(wanted)
    except ValueError:
        return False
