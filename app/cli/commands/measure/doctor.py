"""The command ``doctor``."""

from edge_bench.app.cli.options.run import Strict
from edge_bench.app.cli.options.shared import OutputFormat
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import NotTrusted

__all__ = ["doctor"]


def doctor(
    output_format: OutputFormat = Format.TABLE,
    strict: Strict = False,
) -> None:
    """Describe this machine and find what would distort measurements on it."""
    from edge_bench.app.cli import console
    from edge_bench.app.tables.doctor import Tuning, doctor_table
    from edge_bench.bench.measure.trust import sandbox_findings
    from edge_bench.bench.sandbox.support import sandbox_support
    from edge_bench.bench.system.concurrent_runs import concurrent_runs, runtime_folders
    from edge_bench.bench.system.cores import clusters
    from edge_bench.bench.system.cpu_features import litert_gpu_library_fault
    from edge_bench.bench.system.environment import concurrent_run_findings, load_now, machine_findings
    from edge_bench.bench.system.machine import describe_machine
    from edge_bench.bench.system.tuning.advice import tuning_findings
    from edge_bench.bench.system.tuning.record import tuned_now, tuned_settings

    machine = describe_machine()
    others = concurrent_run_findings(concurrent_runs(*runtime_folders()), now=True)
    found = [
        *machine_findings(machine), *tuning_findings(machine), *sandbox_findings(), litert_gpu_library_fault(),
        *others, *load_now(machine),
    ]  # fmt: skip
    findings = [finding for finding in found if finding]
    tuning = Tuning(tuned_settings(), tuned_now(), clusters())
    console.print_table(doctor_table(machine, sandbox_support().parts, findings, tuning), output_format)
    if strict and any(finding.spoils for finding in findings):
        raise NotTrusted("measurements on this machine would not be reliable now", "see the findings above")
