"""The Run without trials with which a run begins."""

import contextlib
import uuid
from collections.abc import Sequence

import numpy as np

from edge_bench.bench.dataset.workload import Workload, pixel_checksums
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.io.record_limits import readable
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.trust import setup_findings
from edge_bench.bench.measure.workers.graph_outputs import stored_decodings
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Images, Result, Run, Settings
from edge_bench.bench.records.run_files import utc_now
from edge_bench.bench.sandbox.support import sandbox_support
from edge_bench.bench.system.cores import measured_cores
from edge_bench.bench.system.environment import machine_findings
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.system.tuning.record import tuned_settings
from edge_bench.bench.version import __version__, revision

__all__ = ["images_of", "started_run"]


def _own_preprocessing(workload: Workload) -> dict[str, Preprocessing]:
    """Return the preprocessing of each variant if it is not the same for all."""
    own = {name: item.preprocessing for name, item in workload.own.items()}
    return own if any(item != workload.shared.preprocessing for item in own.values()) else {}


def started_run(
    workload: Workload, planned: Sequence[Planned], settings: Settings, repeat_group: str = "", repeat: int = 0
) -> Run:
    """Return a Run without trials: the machine, the settings, the images and the planned configurations."""
    machine = describe_machine()
    run = Run(
        run_id=uuid.uuid4().hex,
        began=utc_now(),
        ended="",
        wall_seconds=0.0,
        complete=False,
        tool_version=__version__,
        tool_revision=revision(),
        machine=machine,
        bundle=workload.identity,
        preprocessing=workload.shared.preprocessing if workload.has_images else None,
        preprocessing_by_variant=_own_preprocessing(workload),
        task=workload.task,
        truth=workload.truth,
        decodings=stored_decodings(workload),
        interpretations=list(workload.interpretations),
        settings=settings,
        images=images_of(workload),
        results=[
            Result(
                configuration=item.configuration,
                bytes=item.variant.bytes,
                sha256=item.variant.sha256,
                runtime_version=item.runtime_version,
                failure=item.failure,
                delegate_library=item.delegate.record,
            )
            for item in planned
        ],
        findings=[*machine_findings(machine), *setup_findings()],
        sandbox=sandbox_support().parts,
        tuned=tuned_settings(),
        state_before=Sensors(emulated=machine.emulated, cores=measured_cores(settings.cpus)).read(),
        repeat_group=repeat_group,
        repeat=repeat,
    )
    with contextlib.suppress(ValueError):  # the journal refuses the Run and says why
        run = readable(run)
    return run


def images_of(workload: Workload) -> Images:
    """Return the images of a workload as a Run records them; reads all of their pixels."""
    return Images(
        indices=pack(workload.indices),
        labels=pack(np.zeros(0, np.int64) if workload.labels is None else workload.labels),
        total_images=workload.total_images,
        checksums=pack(pixel_checksums(workload)),
        notes=list(workload.notes),
    )
