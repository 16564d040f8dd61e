"""Which measurements a picture or a page speaks of, and by what short name."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import Configuration, Result, Run

__all__ = ["Entry", "entries_of", "machine_names", "representative"]

#: A picture with more rows than that is a wallpaper.
MAX_ENTRIES = 30


@dataclass(frozen=True)
class Entry:
    """A measured configuration with its Run and its names."""

    run: Run
    result: Result
    machine: str  # short, unique for the Run, with EMULATED where it is
    name: str  # "dynamic · litert", with threads and batch size where they tell apart

    @property
    def variant(self) -> str:
        """The precision."""
        return self.result.configuration.variant

    @property
    def full_name(self) -> str:
        """With the machine."""
        return f"{self.name} on {self.machine}"

    @property
    def emulated(self) -> bool:
        """Whether its times are an emulator's."""
        return self.run.emulated

    @property
    def images(self) -> int:
        """Images a pass."""
        return self.run.images_per_pass

    @property
    def correct(self) -> int | None:
        """Images classified right, each counted once; None where nobody knows what is right."""
        return self.run.correct(self.result)[0] if self.run.scored(self.result) and self.seen else None

    @property
    def seen(self) -> int:
        """Images that any trial has classified."""
        return self.run.correct(self.result)[1] if self.run.scored(self.result) else self.images

    @property
    def image_milliseconds(self) -> npt.NDArray[np.float64]:
        """Milliseconds an image, one a trial."""
        return self.result.pass_seconds() / self.images * 1e3

    @property
    def image_milliseconds_by_process(self) -> list[npt.NDArray[np.float64]]:
        """The same, one array a process."""
        return [seconds / self.images * 1e3 for seconds in self.result.seconds_by_process()]

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """Which images of the test set it has labelled, ascending."""
        return unpack(self.run.images.indices).astype(np.int64)[self._there]

    @property
    def truth(self) -> npt.NDArray[np.int64]:
        """Their true labels."""
        return unpack(self.run.images.labels).astype(np.int64)[self._there]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Their predicted labels."""
        return self.result.labels()[self._there]

    @property
    def _there(self) -> npt.NDArray[np.bool_]:
        """Which places have a label: where each trial draws its own images, some may never have been drawn."""
        return self.result.labels() >= 0


def machine_names(runs: Sequence[Run]) -> dict[str, str]:
    """Run id → a short name for the Run's machine: the host name, and as much more as it takes to be unique."""
    steps: list[Callable[[Run], str]] = [
        lambda run: run.machine.hostname,
        lambda run: f"{run.machine.hostname} {run.machine.architecture}",
        lambda run: f"{run.machine.hostname} {run.machine.architecture}, run {run.run_id[:6]}",
    ]
    names = {}
    for run in runs:
        # an emulated machine mostly has the host name of a container, so its architecture is worth saying
        for step in steps[run.emulated :]:
            names[run.run_id] = step(run) + (" EMULATED" if run.emulated else "")
            if sum(step(other) == step(run) for other in runs) == 1:
                break
    return names


def entries_of(runs: Sequence[Run]) -> list[Entry]:
    """All measured configurations of the Runs, machine by machine, in the order of each Run."""
    machines = machine_names(runs)
    settings: Counter[tuple[str, str]] = Counter()
    for key in {_fields(result.configuration) for run in runs for result in run.measured}:
        settings[key[:2]] += 1
    return [
        Entry(run, result, machines[run.run_id], _name(result.configuration, settings))
        for run in runs
        for result in run.measured
    ]


def _fields(configuration: Configuration) -> tuple[str, str, int, int]:
    return configuration.variant, configuration.runtime, configuration.threads, configuration.batch_size


def _name(configuration: Configuration, settings: Counter[tuple[str, str]]) -> str:
    variant, runtime, threads, batch = _fields(configuration)
    name = f"{variant} · {runtime}"
    return name if settings[variant, runtime] == 1 else f"{name} · {threads} thr · batch {batch}"


def representative(entries: Sequence[Entry]) -> list[Entry]:
    """At most ``MAX_ENTRIES`` entries for a picture: all, or the fastest of each machine, variant and runtime first."""
    if len(entries) <= MAX_ENTRIES:
        return list(entries)
    # an emulator's times choose nothing: its configurations keep their order, after the real ones
    medians = [np.inf if entry.emulated else float(np.median(entry.image_milliseconds)) for entry in entries]
    seen: Counter[tuple[str, str, str]] = Counter()
    order = []
    for place in np.argsort(medians, kind="stable"):
        entry = entries[place]
        key = (entry.machine, entry.variant, entry.result.configuration.runtime)
        order.append((seen[key], place))
        seen[key] += 1
    chosen = sorted(place for _, place in sorted(order)[:MAX_ENTRIES])
    return [entries[place] for place in chosen]
