"""The measured configurations that figures and pages show, and their short names."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.quality import quality_of
from edge_bench.app.render.escaping import one_line
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import UNSEEN, Configuration, Result, Run
from edge_bench.bench.tasks.measures import Measure

__all__ = ["Entry", "assumption", "entries_by_run", "entries_of", "machine_names", "representative", "short_name"]

#: A figure with more rows would not fit on a page.
_MAX_ENTRIES = 30
#: Characters of a variant's or a machine's name, and of a runtime's, beside which a figure has room.
_MAX_NAME, _MAX_RUNTIME = 36, 20


@dataclass(frozen=True)
class Entry:
    """A measured configuration with its Run and its names."""

    run: Run
    result: Result
    machine: str  # short name of the machine, unique per Run, with EMULATED if it is emulated
    name: str  # "dynamic · litert", with threads and batch size if they vary, and the delegate if it is set

    @property
    def variant(self) -> str:
        """The model's variant."""
        return self.result.configuration.variant

    @property
    def full_name(self) -> str:
        """The name with the machine."""
        return f"{self.name} on {self.machine}"

    @property
    def emulated(self) -> bool:
        """Whether the times are those of an emulator."""
        return self.run.emulated

    @property
    def images(self) -> int:
        """Images per pass."""
        return self.run.images_per_pass

    @property
    def correct(self) -> int | None:
        """Images classified correctly, each counted once; None without true labels."""
        return self.run.correct(self.result)[0] if self.run.scored(self.result) and self.seen else None

    @property
    def seen(self) -> int:
        """Images in at least one trial."""
        return self.run.correct(self.result)[1] if self.run.scored(self.result) else self.images

    @cached_property
    def quality(self) -> Measure | None:
        """Accuracy, or the first quality measure of another task; None without true values."""
        return quality_of(self.run, self.result)

    @property
    def image_milliseconds(self) -> npt.NDArray[np.float64]:
        """Milliseconds per image of each trial, shape [trials]."""
        return self.result.pass_seconds() / self.images * 1e3

    @property
    def image_milliseconds_by_process(self) -> list[npt.NDArray[np.float64]]:
        """Milliseconds per image of each trial, one array per process."""
        return [seconds / self.images * 1e3 for seconds in self.result.seconds_by_process()]

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """Indices in the test set of the images in at least one trial, ascending."""
        return unpack(self.run.images.indices).astype(np.int64)[self._is_seen]

    @property
    def truth(self) -> npt.NDArray[np.int64]:
        """True labels of these images."""
        return unpack(self.run.images.labels).astype(np.int64)[self._is_seen]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Predicted labels of these images; UNCLASSIFIED for an image without finite scores."""
        return self.result.labels()[self._is_seen]

    @property
    def _is_seen(self) -> npt.NDArray[np.bool_]:
        """Which images are in a trial; if each trial draws its own images, some may never be drawn."""
        seen: npt.NDArray[np.bool_] = self.result.labels() != UNSEEN
        return seen


def assumption(entries: Sequence[Entry]) -> str:
    """Return a sentence for a caption if the accuracy of an entry is assumed, otherwise an empty string."""
    names = list(dict.fromkeys(entry.full_name for entry in entries if entry.run.accuracy_assumed))
    return f" ASSUMED: the accuracy of {', '.join(names)}." if names else ""


def machine_names(runs: Sequence[Run]) -> list[str]:
    """Return a short, unique machine name for each Run: the host name, with more detail if necessary."""
    formats: list[Callable[[Run], str]] = [
        lambda run: short_name(run.machine.hostname),
        lambda run: f"{short_name(run.machine.hostname)} {short_name(run.machine.architecture)}",
        lambda run: f"{short_name(run.machine.hostname)} {short_name(run.machine.architecture)}, run {run.run_id[:6]}",
    ]
    names = []
    counts = [Counter(name_of(run) for run in runs) for name_of in formats]
    for number, run in enumerate(runs, start=1):
        name = ""
        # the host name of an emulated machine is usually a container's, so its architecture is always added
        for name_of, count in list(zip(formats, counts, strict=True))[run.emulated :]:
            name = name_of(run)
            if count[name] == 1:
                break
        else:
            name = f"{name} no. {number}"
        names.append(name + (" EMULATED" if run.emulated else ""))
    return names


def entries_of(runs: Sequence[Run], machines: Mapping[str, str]) -> list[Entry]:
    """Return all measured configurations, Run by Run; ``machines`` has the machine's name for each Run id."""
    settings: Counter[tuple[str, str, str]] = Counter()
    for key in {_fields(result.configuration) for run in runs for result in run.results_with_trials}:
        settings[key[:3]] += 1
    return [
        Entry(run, result, machines[run.run_id], _name(result.configuration, settings))
        for run in runs
        for result in run.results_with_trials
    ]


def _fields(configuration: Configuration) -> tuple[str, str, str, int, int]:
    return (
        configuration.variant, configuration.runtime, configuration.delegate, configuration.threads,
        configuration.batch_size,
    )  # fmt: skip


def _name(configuration: Configuration, settings: Counter[tuple[str, str, str]]) -> str:
    variant, runtime, delegate, threads, batch = _fields(configuration)
    name = f"{short_name(variant)} · {short_name(runtime, _MAX_RUNTIME)}"
    name = f"{name} · {short_name(delegate, _MAX_RUNTIME)}" if delegate else name
    return name if settings[variant, runtime, delegate] == 1 else f"{name} · {threads} thr · batch {batch}"


def short_name(name: str, limit: int = _MAX_NAME) -> str:
    """Return a name as figures show it, on a line and not so long that nothing else has room."""
    line = one_line(name)
    return line if len(line) <= limit else f"{line[: limit // 2]}…{line[-limit // 2 :]}"


def entries_by_run(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Return the entries of each Run that has any, in their order."""
    by_run: dict[int, list[Entry]] = {}
    for entry in entries:
        by_run.setdefault(id(entry.run), []).append(entry)
    return list(by_run.values())


def representative(entries: Sequence[Entry]) -> list[Entry]:
    """Return at most ``_MAX_ENTRIES`` entries: the fastest of each machine, variant, runtime and delegate first."""
    if len(entries) <= _MAX_ENTRIES:
        return list(entries)
    # emulated times must not decide, so emulated configurations keep their order, after the real ones
    medians = [np.inf if entry.emulated else float(np.median(entry.image_milliseconds)) for entry in entries]
    ranks: Counter[tuple[str, ...]] = Counter()
    ranked = []
    for position in np.argsort(medians, kind="stable"):
        entry = entries[position]
        configuration = entry.result.configuration
        key = (entry.machine, entry.variant, configuration.runtime, configuration.delegate)
        ranked.append((ranks[key], position))
        ranks[key] += 1
    return [entries[position] for position in sorted(position for _, position in sorted(ranked)[:_MAX_ENTRIES])]
