"""The command ``tune``."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge_bench.app.cli.options.run import DryRun, Keep, RestoreSettings, RootFolder, TuneCpus, Yes
from edge_bench.bench.errors import BadInput, EdgeBenchError

if TYPE_CHECKING:
    from edge_bench.bench.system.tuning.kernel_files import KernelFiles
    from edge_bench.bench.system.tuning.record import Tuned
    from edge_bench.bench.system.tuning.settings import Plan
    from edge_bench.bench.system.tuning.tune import Outcome

__all__ = ["tune"]

#: Where sudo looks for programs on most systems.
_SUDO_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def tune(
    cpus: TuneCpus = None,
    keep: Keep = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    restore: RestoreSettings = False,
    root: RootFolder = Path("/"),
) -> None:
    """Change settings of this machine for steady times, until `tune --restore` or the next restart.

    It shows all changes and asks first. The original values are on disk before the first change.
    """
    from edge_bench.bench.system.emulation import emulation_signs
    from edge_bench.bench.system.tuning.kernel_files import KernelFiles

    files = KernelFiles(root)
    if signs := emulation_signs(root):
        raise BadInput(f"this machine is emulated ({signs[0]}): its settings are those of the host", "tune the host")
    if restore:
        if cpus or keep or dry_run:
            raise BadInput("--restore restores all settings", "omit --cpus, --keep and --dry-run")
        _restore(files)
        return
    _tune(files, cpus, keep, dry_run=dry_run, yes=yes)


def _tune(files: "KernelFiles", cpus: str | None, keep: str | None, *, dry_run: bool, yes: bool) -> None:
    from edge_bench.app.cli import console
    from edge_bench.bench.system.tuning.record import locked_folder, read_tuned
    from edge_bench.bench.system.tuning.tune import apply, drop_stale, require_access

    tuned = read_tuned(files.root)
    plan = _plan(files, cpus, keep, tuned)
    if dry_run:
        _show(plan)
        return
    require_access(files, plan.changes, _command())
    with locked_folder(files.root):
        tuned = read_tuned(files.root)
        if drop_stale(files.root, tuned):
            tuned = None
        plan = _plan(files, cpus, keep, tuned)
        _show(plan)
        if not plan.visible and plan.cpus == (tuned.cpus if tuned else ""):
            return
        _confirm(yes=yes)
        outcomes = apply(files, plan, tuned)
    refused = _report(outcomes, "not changed")
    done = sum(not each.problem for each in outcomes)
    console.print_text(f"changed: {done} of {len(outcomes)} settings; to restore them: {_command('--restore')}")
    if refused:
        raise EdgeBenchError(
            f"the kernel refused {refused[0].path}: {refused[0].problem}",
            f"the other settings are active; {_command('--restore')} restores them",
        )


def _plan(files: "KernelFiles", cpus: str | None, keep: str | None, tuned: "Tuned | None") -> "Plan":
    """Return the plan for the cores that are stated, or else were stated for a machine that is tuned already."""
    from edge_bench.bench.measure.options.cores import stated_cores
    from edge_bench.bench.measure.options.values import names, one_of
    from edge_bench.bench.system.tuning.record import boot_id
    from edge_bench.bench.system.tuning.settings import Group, plan_for

    kept = names(keep)
    for name in kept:
        one_of(name, "--keep", [each.value for each in Group])
    wanted = stated_cores(cpus, files.root)
    if wanted is None and tuned is not None and tuned.boot == boot_id(files.root):
        wanted = tuned.cpus
    return plan_for(files, wanted, [Group(name) for name in kept])


def _show(plan: "Plan") -> None:
    from edge_bench.app.cli import console
    from edge_bench.app.render.formats import Format
    from edge_bench.app.tables.tune import tune_table

    console.print_table(tune_table(plan), Format.TABLE)


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput("there is no terminal to ask whether to make these changes", "add --yes, or see --dry-run")
    if not typer.confirm("Make these changes?"):
        raise EdgeBenchError("nothing was changed, because it was not confirmed")


def _restore(files: "KernelFiles") -> None:
    from edge_bench.app.cli import console
    from edge_bench.bench.system.tuning.record import FOLDER, locked_folder, read_tuned
    from edge_bench.bench.system.tuning.tune import drop_stale, restore

    if not (files.root / FOLDER).exists():
        console.print_text("nothing to restore: no settings are recorded")
        return
    if not files.can_write(str(FOLDER)):
        raise BadInput(f"/{FOLDER} cannot be written", _command("--restore"))
    with locked_folder(files.root):
        tuned = read_tuned(files.root)
        if tuned is None or drop_stale(files.root, tuned):
            why = "no settings are recorded" if tuned is None else "the machine was restarted, which reset all settings"
            console.print_text(f"nothing to restore: {why}")
            return
        outcomes = restore(files, tuned)
    refused = _report(outcomes, "not restored")
    if refused:
        raise EdgeBenchError(
            f"{refused[0].path} could not be restored: {refused[0].problem}",
            f"{len(outcomes) - len(refused)} of {len(outcomes)} settings are restored; repeat it, or restart the "
            "machine, which resets all",
        )
    console.print_text(f"restored: {len(outcomes)} settings")


def _report(outcomes: "Sequence[Outcome]", what: str) -> "list[Outcome]":
    """Print a note for each kind of problem, and return the essential ones."""
    from edge_bench.app.cli import console
    from edge_bench.app.tables.tune import together

    for problem in dict.fromkeys(each.problem for each in outcomes if each.problem):
        paths = [each.path for each in outcomes if each.problem == problem]
        console.note(f"! {what}: {'; '.join(together(paths))}: {problem}")
    return [each for each in outcomes if each.problem and each.essential]


def _command(option: str = "") -> str:
    """Return the command as root, with the whole path of edge-bench if sudo would not find it."""
    program = shutil.which("edge-bench")
    found = shutil.which("edge-bench", path=_SUDO_PATH)
    name = program if program and not found and os.sep in program else "edge-bench"
    return " ".join(filter(None, ["sudo", name, "tune", option]))
