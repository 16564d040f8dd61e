"""Identification of a served model, for the parameters of its metadata."""

from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.version import __version__

__all__ = ["model_facts"]


def model_facts(planned: Planned, bundle_sha256: str, *, image_files: bool, most_examples: int) -> dict[str, str]:
    """Return the bundle, variant, runtime and machine of a served configuration."""
    configuration, machine = planned.configuration, describe_machine()
    return {
        "bundle_sha256": bundle_sha256,
        "variant": configuration.variant,
        "runtime": configuration.runtime,
        "runtime_version": planned.runtime_version,
        "threads": str(configuration.threads),
        "batch_size": str(configuration.batch_size),
        "model_sha256": planned.variant.sha256,
        "image_files": str(image_files).lower(),
        "max_batch": str(most_examples),
        "hostname": machine.hostname,
        "architecture": machine.architecture,
        "emulated": str(machine.emulated).lower(),
        "edge_bench_version": __version__,
    }
