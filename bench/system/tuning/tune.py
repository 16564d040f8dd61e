"""Change and restore the settings of a plan. A record of all original values is on disk before the first change.

A process that is killed at any point leaves either the record or unchanged settings. A setting whose content is its
original one is not written when settings are restored, so it does not matter which changes were made.
"""

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.system.cores import cores_in
from edge_bench.bench.system.machine import in_container
from edge_bench.bench.system.tuning.kernel_files import KernelFiles
from edge_bench.bench.system.tuning.record import (
    FOLDER,
    Original,
    Tuned,
    boot_id,
    locked_folder,
    now,
    read_tuned,
    remove,
    write,
)
from edge_bench.bench.system.tuning.settings import Change, Group, Plan, group_of

__all__ = ["Outcome", "change", "require_access", "restore"]


class Outcome(NamedTuple):
    """A setting that was written, and why the kernel did not accept it; empty if it did."""

    path: str
    problem: str
    essential: bool  # False: an interrupt that the kernel does not let move, or whose device is gone


def require_access(files: KernelFiles, changes: Iterable[Change], command: str) -> None:
    """Raise BadInput unless this process can write all these settings, and a record that is kept.

    The remedy in the error tells the user to run ``command``.
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
    if not boot_id(root):
        raise BadInput("the kernel states no boot id, so it would be unknown whether settings can be restored")


def change(
    files: KernelFiles, make_plan: Callable[[Tuned | None], Plan], agree: Callable[[Plan, Tuned | None], bool]
) -> list[Outcome]:
    """Record original values, make the changes of a plan, and check each by reading it back.

    ``make_plan`` gets the record of earlier changes, whose original values are kept. Nothing is changed unless
    ``agree`` returns True. Raise BadInput if another process is tuning this machine, EdgeBenchError if a setting was
    changed since the plan was made.
    """
    root = files.root
    with locked_folder(root):
        tuned = read_tuned(root)
        if tuned is not None and tuned.boot != boot_id(root):  # the restart has reset all settings
            remove(root)
            tuned = None
        plan = make_plan(tuned)
        return _applied(files, plan, tuned) if agree(plan, tuned) else []


def restore(files: KernelFiles) -> tuple[list[Outcome], str]:
    """Write all original values in reverse order, and check each. Remove the record unless one is refused.

    Return the settings, and why there are none; empty if there are some. The whole record is kept if a setting is
    refused, because those that depend on it have to be written again after it. Raise BadInput if another process is
    tuning this machine.
    """
    with locked_folder(files.root):
        tuned = read_tuned(files.root)
        if tuned is None:
            return [], "no settings are recorded"
        if tuned.boot != boot_id(files.root):
            remove(files.root)
            return [], "the machine was restarted, which reset all settings"
        with defer_interrupts():
            outcomes = [_restored(files, each) for each in reversed(tuned.originals)]
            if not any(each.problem and each.essential for each in outcomes):
                remove(files.root)
        return outcomes, ""


def _applied(files: KernelFiles, plan: Plan, tuned: Tuned | None) -> list[Outcome]:
    for each in plan.changes:
        if not _has(files, each.path, each.now):
            raise EdgeBenchError(f"/{each.path} was changed by another program in the meantime", "run it again")
    originals = {} if tuned is None else {each.path: each for each in tuned.originals}
    for each in plan.changes:
        first = originals.get(each.path)
        content, then = (each.now, each.then) if first is None else (first.content, each.then or first.then)
        originals[each.path] = Original(path=each.path, content=content, then=then)
    began = now() if tuned is None else tuned.began
    new = Tuned(boot=boot_id(files.root), began=began, cpus=plan.cpus, originals=list(originals.values()))
    with defer_interrupts():
        write(files.root, new)
        return [_changed(files, each.path, each.then) for each in plan.changes if each.then is not None]


def _has(files: KernelFiles, path: str, content: bytes) -> bool:
    try:
        return files.read(path) == content
    except OSError:
        return False


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
