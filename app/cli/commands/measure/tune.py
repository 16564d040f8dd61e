"""The command ``tune``."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge_bench.app.cli.options.run import DryRun, Keep, RestoreSettings, TuneCpus, Yes
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.wording import counted

if TYPE_CHECKING:
    from edge_bench.bench.system.tuning.kernel_files import KernelFiles
    from edge_bench.bench.system.tuning.record import Tuned
    from edge_bench.bench.system.tuning.settings import Plan
    from edge_bench.bench.system.tuning.tune import Outcome

__all__ = ["tune"]

#: Another folder with sys, proc and var, for tests. sudo passes no such variable on.
_ROOT_VARIABLE = "EDGE_BENCH_TUNE_ROOT"

#: Where sudo looks for programs on most systems.
_SUDO_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def tune(
    cpus: TuneCpus = None,
    keep: Keep = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    restore: RestoreSettings = False,
) -> None:
    """Change settings of this machine for steady times, until `tune --restore` or the next restart.

    It shows all changes and asks first. The original values are on disk before the first change. It needs root: sudo
    edge-bench tune.
    """
    from edge_bench.bench.system.emulation.signs import emulation_signs
    from edge_bench.bench.system.tuning.kernel_files import KernelFiles

    files = KernelFiles(Path(os.environ.get(_ROOT_VARIABLE, "/")))
    if signs := emulation_signs(files.root):
        raise BadInput(f"this machine is emulated ({signs[0]}): its times are not valid", "tune the real device")
    if restore:
        if cpus or keep or dry_run:
            raise BadInput("--restore restores all settings", "omit --cpus, --keep and --dry-run")
        _restore(files)
        return
    _tune(files, cpus, keep, dry_run=dry_run, yes=yes)


def _tune(files: "KernelFiles", cpus: str | None, keep: str | None, *, dry_run: bool, yes: bool) -> None:
    from edge_bench.app.cli import console
    from edge_bench.bench.system.tuning.record import boot_id, read_tuned
    from edge_bench.bench.system.tuning.tune import change, require_access

    recorded = read_tuned(files.root)
    plan = _plan(files, cpus, keep, recorded)
    if dry_run:
        _show(plan, recorded if recorded is not None and recorded.boot == boot_id(files.root) else None)
        return
    require_access(files, plan.changes, _command())

    def agree(plan: "Plan", tuned: "Tuned | None") -> bool:
        _show(plan, tuned)
        is_new = bool(plan.visible) or plan.cpus != (tuned.cpus if tuned else "")
        return is_new and _confirmed(yes=yes)

    outcomes = change(files, lambda tuned: _plan(files, cpus, keep, tuned), agree)
    refused = _report(outcomes, "not changed")
    if outcomes:
        done = sum(not each.problem for each in outcomes)
        settings = counted(len(outcomes), "setting")
        console.print_text(f"changed: {done} of {settings}; to restore: {_command('--restore')}")
    if refused:
        raise EdgeBenchError(
            f"/{refused[0].path} was not set: {refused[0].problem}",
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
        wanted = stated_cores(tuned.cpus, files.root)  # one of them may be offline now
    return plan_for(files, wanted, [Group(name) for name in kept])


def _show(plan: "Plan", tuned: "Tuned | None") -> None:
    """Print the changes, and the record of earlier ones."""
    from edge_bench.app.cli import console
    from edge_bench.app.render.formats import Format
    from edge_bench.app.tables.tune import tune_table

    table = tune_table(plan)
    if table.rows:
        console.print_table(table, Format.TABLE)
    else:
        console.print_text("\n".join(filter(None, (table.title, *table.notes))))
    if tuned is not None:
        cores = f"on cores {tuned.cpus}" if tuned.cpus else "on all cores"
        console.print_text(f"tuned since {tuned.began}, to measure {cores}; to restore: {_command('--restore')}")


def _confirmed(*, yes: bool) -> bool:
    """Ask for confirmation unless ``yes``; raise EdgeBenchError without it, BadInput if there is no terminal."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BadInput("there is no terminal to ask whether to make these changes", "add --yes, or see --dry-run")
    if not typer.confirm("Make these changes?"):
        raise EdgeBenchError("nothing was changed, because it was not confirmed")
    return True


def _restore(files: "KernelFiles") -> None:
    from edge_bench.app.cli import console
    from edge_bench.bench.system.tuning.record import FOLDER
    from edge_bench.bench.system.tuning.tune import restore

    outcomes: list[Outcome] = []
    why = "no settings are recorded"
    if (files.root / FOLDER).exists():
        if not files.can_write(str(FOLDER)):
            raise BadInput(f"restoring settings needs root: /{FOLDER} cannot be written", _command("--restore"))
        outcomes, why = restore(files)
    refused = _report(outcomes, "not restored")
    if refused:
        raise EdgeBenchError(
            f"/{refused[0].path} was not restored: {refused[0].problem}",
            f"{len(outcomes) - len(refused)} of {counted(len(outcomes), 'setting')} are restored; repeat it, or "
            "restart the machine, which resets all",
        )
    settings = counted(len(outcomes), "setting")
    console.print_text(f"nothing to restore: {why}" if why else f"restored: {settings}")


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
