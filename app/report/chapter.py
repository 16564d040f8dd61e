"""All that a report says of one bundle: its Runs, what follows from them, and the pictures of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge_bench.app.figures.decision_map import decisions
from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.figures.drawing.labels import Entry, entries_of, machine_names, representative
from edge_bench.app.figures.runs.accuracy_time import accuracy_and_time
from edge_bench.app.figures.runs.confusion import confusion
from edge_bench.app.figures.runs.latency import latency_distribution
from edge_bench.app.figures.runs.tradeoff import trade_off
from edge_bench.app.figures.runs.trials import trials_over_time
from edge_bench.app.figures.training import training
from edge_bench.bench.analysis.comparison import Comparison, compare
from edge_bench.bench.analysis.disagreement import confusion_matrix
from edge_bench.bench.analysis.headline import Headline, headlines
from edge_bench.bench.errors import BadInput
from edge_bench.bench.offload.analysis.assessment import Assessment, assess
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.bundle import LIGHT, ORIGINAL, Bundle
from edge_bench.bench.records.run import BundleIdentity, Run

__all__ = ["Chapter", "chapters_of"]

#: More matrices than that nobody compares by eye.
_MATRICES = 4
#: With more classes a matrix is a grey square.
_CLASSES = 100


@dataclass(frozen=True)
class Chapter:
    """One bundle's part of a report."""

    identity: BundleIdentity
    runs: Sequence[Run]
    bundle: Bundle | None  # where the reader of the Runs has it, too: for images and the history of the training
    offloads: Sequence[Offload] = ()

    @cached_property
    def machines(self) -> dict[str, str]:
        """Run id → short name."""
        return machine_names(self.runs)

    @cached_property
    def entries(self) -> list[Entry]:
        """All measured configurations."""
        return entries_of(self.runs)

    @cached_property
    def shown(self) -> list[Entry]:
        """Those that pictures show."""
        return representative(self.entries)

    @cached_property
    def comparison(self) -> Comparison | None:
        """None where nothing was measured."""
        return compare(self.runs) if self.entries else None

    @cached_property
    def headlines(self) -> list[Headline]:
        """One a machine pair."""
        return headlines(self.runs)

    @cached_property
    def assessed(self) -> list[tuple[Offload, Assessment, Drawing | None]]:
        """Each Offload, what follows from it, and its map."""
        found = [(offload, assess(offload)) for offload in self.offloads]
        return [(offload, assessment, decisions(offload, assessment)) for offload, assessment in found]

    # -- pictures: each is None where there is nothing to draw

    @cached_property
    def training(self) -> Drawing | None:
        """The paper's Figure 4; it needs the bundle."""
        history = None if self.bundle is None else self.bundle.history()
        return training(history) if history and history.loss else None

    @cached_property
    def accuracy_and_time(self) -> Drawing | None:
        """The paper's Figure 5."""
        return accuracy_and_time(self.shown) if self.shown else None

    @cached_property
    def trade_off(self) -> Drawing | None:
        """Real times and known accuracies only."""
        chosen = [entry for entry in self.shown if not entry.emulated and entry.correct is not None]
        return trade_off(chosen) if chosen else None

    @cached_property
    def trials(self) -> list[Drawing]:
        """One a real Run."""
        real = [entry for entry in self.entries if not entry.emulated]
        by_run = [[entry for entry in real if entry.run is run] for run in self.runs]
        return [
            trials_over_time(representative(entries), number)
            for number, entries in enumerate(filter(None, by_run), start=1)
        ]

    @cached_property
    def latency(self) -> Drawing | None:
        """Real ones only."""
        real = [entry for entry in self.shown if not entry.emulated]
        real = [entry for entry in real if all(trial.latencies.length for trial in entry.result.trials)]
        return latency_distribution(real) if real else None

    @cached_property
    def confusion(self) -> Drawing | None:
        """The original's and the light model's, on each machine."""
        able = [entry for entry in self.entries if entry.correct is not None and entry.result.predictions is not None]
        wanted = [entry for entry in able if entry.variant in (ORIGINAL, LIGHT)] or able
        chosen = list({(entry.machine, entry.variant): entry for entry in reversed(wanted)}.values())[::-1]
        count = len(self.identity.classes)
        if not chosen or count > _CLASSES:
            return None
        matrices = [
            (entry.full_name, confusion_matrix(entry.truth, entry.labels, count))
            for entry in chosen[:_MATRICES]
            if max(int(np.max(entry.truth)), int(np.max(entry.labels))) < count
        ]
        return confusion(matrices, self.identity.classes) if matrices else None

    @property
    def pictures(self) -> list[Drawing]:
        """All there are, in the order of the page."""
        maps = [drawing for _, _, drawing in self.assessed]
        single = [*maps, self.accuracy_and_time, self.trade_off, *self.trials, self.latency, self.confusion]
        return [drawing for drawing in [*single, self.training] if drawing]


def chapters_of(runs: Sequence[Run], bundles: Sequence[Bundle], offloads: Sequence[Offload] = ()) -> list[Chapter]:
    """One chapter a bundle, in the order of the Runs: what was measured on different bundles is never compared.

    Raises BadInput for a bundle of which there is neither Run nor Offload.
    """
    by_bundle: dict[str, tuple[list[Run], list[Offload]]] = {}
    for run in {run.run_id: run for run in runs}.values():
        by_bundle.setdefault(run.bundle.sha256, ([], []))[0].append(run)
    for offload in {offload.offload_id: offload for offload in offloads}.values():
        by_bundle.setdefault(offload.bundle.sha256, ([], []))[1].append(offload)
    folders = {bundle.digest: bundle for bundle in bundles}
    for digest, bundle in folders.items():
        if digest not in by_bundle:
            raise BadInput(
                f"{bundle.folder}: none of the runs measured this bundle", "name the bundle that was measured"
            )
    return [
        Chapter(group[0].bundle if group else sent[0].bundle, group, folders.get(digest), sent)
        for digest, (group, sent) in by_bundle.items()
    ]
