"""Restrict this process, then run a module in it.

``python -m edge_bench.bench.sandbox PLAN MODULE [ARGUMENT …]``, where PLAN is the text of a `Plan`.

Landlock restricts one thread and those that it starts, and libraries start threads when they are imported. Therefore
this runs before any import of them. If a part of the plan cannot be applied, the module does not run.
"""

import resource
import runpy
import sys
from pathlib import Path

from edge_bench.bench.sandbox.files import program_loaders, system_reads, system_writes
from edge_bench.bench.sandbox.landlock import restrict_files
from edge_bench.bench.sandbox.launch import Plan
from edge_bench.bench.sandbox.seccomp import install_filter


def apply(plan: Plan) -> None:
    """Restrict this process permanently; raise OSError if a part of the plan cannot be applied."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))  # the kernel would write a core file for the process
    writable = [Path(path) for path in plan.write]
    if plan.landlock:
        readable = [*system_reads(), *map(Path, plan.read)]
        programs = [Path(plan.program), *program_loaders()] if plan.program else []
        devices = [Path(path) for path in plan.devices]
        restrict_files(plan.landlock, readable, [*system_writes(), *writable], programs, devices)
    if plan.seccomp:
        read_only = not plan.landlock and not writable and not plan.devices
        install_filter(read_only=read_only, may_execute=bool(plan.program), uses_devices=bool(plan.devices))


def main(arguments: list[str]) -> None:
    """Apply the plan, and run the module with the rest of the arguments."""
    text, module, *rest = arguments
    try:
        apply(Plan.decode(text))
    except OSError as cause:
        sys.exit(f"the sandbox cannot be set up: {cause}")
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
