"""The order of a sustained load: every configuration for the whole duration, one after the other."""

from collections.abc import Callable, Sequence

from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.recording.recorder import Recorder
from edge_bench.bench.measure.schedule import schedule
from edge_bench.bench.measure.sustained.cooldown import cool_down
from edge_bench.bench.progress import Progress, about, duration_text
from edge_bench.bench.records.journal.entries import FindingAdded
from edge_bench.bench.records.settings.settings import Settings, Sustained
from edge_bench.bench.system.machine import Finding
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.wording import counted

__all__ = ["sustain_all"]


def sustain_all(
    runnable: Sequence[int],
    planned: Sequence[Planned],
    settings: Settings,
    load: Sustained,
    recorder: Recorder,
    progress: Progress,
    sustain: Callable[[int], None],
) -> None:
    """Run each configuration with ``sustain``, in the seeded order, after the machine has cooled down.

    Finished configurations of an interrupted run are kept. One that was interrupted starts again, because the machine
    has cooled down in the meantime.
    """
    order = schedule(len(runnable), 1, 1, settings.seed, recorder.repeat)[0].rounds[0]
    numbers = [runnable[index] for index in order]
    left = [each for each in numbers if not recorder.failed(each) and not recorder.is_sustained(each)]
    each_takes = max(1, round(load.duration_s))
    progress.start("sustained load", each_takes * len(numbers), each_takes * (len(numbers) - len(left)))
    if left:
        pauses = (len(left) - 1) * (load.cooldown_s or 0.0)
        also = f", with pauses of {duration_text(load.cooldown_s)}" if load.cooldown_s and pauses else ""
        progress.say(
            f"{about(len(left) * load.duration_s + pauses)}: {counted(len(left), 'configuration')} × "
            f"{duration_text(load.duration_s)}, one after the other{also}"
        )
    progress.expect(None)  # its steps are seconds, so the rest follows from them
    recorder.started = True
    sensors, findings = Sensors(), set[Finding]()
    for position, number in enumerate(left):
        name = str(planned[number].configuration)
        if lost := recorder.sustained_seconds(number):
            progress.say(f"{name} was interrupted after {duration_text(lost)}: it starts again from the beginning")
        finding = cool_down(load, name, progress, lambda: sensors.read().temperature_c, first=position == 0)
        if finding is not None and finding not in findings:
            findings.add(finding)
            progress.say(f"{finding.what}; {finding.remedy}")
            recorder.add(FindingAdded(finding=finding))
        sustain(number)
