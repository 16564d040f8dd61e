"""Energy of the device per image, from a meter or from stated powers.

Energies add up, so they are means. The median latency would leave out the slow images, which also cost energy.
"""

from edge_bench.bench.offload.records.offload import Arm, Offload
from edge_bench.bench.offload.records.power import local_joules, remote_joules

__all__ = ["joules_by_process"]


def joules_by_process(offload: Offload, arm: Arm) -> dict[int, float]:
    """Return ``{process: mean joules per image}``, from the meter if there is one, otherwise from stated powers.

    Empty if neither is available. Trials without a valid reading of the meter do not count.
    """
    if offload.meter:
        return _metered(arm)
    if offload.power is None or not arm.trials:
        return {}
    power = offload.power
    # requests in flight share the device, so the time per image is used
    totals = arm.process_means("latency" if arm.in_flight == 1 else "an image")
    if arm is offload.local:
        return {process: local_joules(power, total) for process, total in totals.items()}
    busy = {name: arm.process_means(name) for name in ("encode", "decode", "send", "receive")}
    network = _network_seconds(offload, arm)
    return {
        process: remote_joules(
            power,
            total,
            busy["encode"][process] + busy["decode"][process],
            max(network, busy["send"][process] + busy["receive"][process]),
        )
        for process, total in totals.items()
    }


def _metered(arm: Arm) -> dict[int, float]:
    totals: dict[int, tuple[float, int]] = {}  # joules and images by process
    for trial in arm.trials:
        if trial.joules is not None:
            joules, images = totals.get(trial.process, (0.0, 0))
            totals[trial.process] = joules + trial.joules, images + trial.latencies.length
    return {process: joules / images for process, (joules, images) in totals.items()}


def _network_seconds(offload: Offload, arm: Arm) -> float:
    """Return the time of an image's bytes at the bandwidths of the link, or of the path. Unknown ones count as 0."""
    link = offload.link(arm.link)
    up = link.up_bps if link else offload.path.up_bps if offload.path else None
    down = link.down_bps if link else None
    return (arm.bytes_up * 8 / up if up else 0.0) + (arm.bytes_down * 8 / down if down else 0.0)
