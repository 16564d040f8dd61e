"""Energy of the device per image, from a meter or from stated powers.

Energies add up, so they are means. The median latency would leave out the slow images, which also cost energy.
"""

from edge_bench.bench.offload.records.offload import Arm, Offload
from edge_bench.bench.records.power import Power

__all__ = ["joules_by_process", "local_joules", "remote_joules"]


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


def local_joules(power: Power, seconds: float) -> float:
    """Return the joules of a local inference: computing power for its whole duration."""
    return power.compute_w * seconds


def remote_joules(power: Power, total_s: float, busy_s: float, network_s: float) -> float:
    """Return the joules of a remote inference that takes ``total_s`` seconds of the device's time.

    The device computes for ``busy_s`` seconds (encoding and decoding) and transmits for ``network_s`` seconds (the
    bytes of both directions divided by their bandwidths). The rest of the time it is idle. The three add up to
    ``total_s``, as the powers are those of the whole device: with several requests in flight, encoding one image and
    sending another overlap, and count as encoding.
    """
    busy = min(busy_s, total_s)
    network = min(network_s, total_s - busy)
    return power.compute_w * busy + power.transmit_w * network + power.idle_w * (total_s - busy - network)
