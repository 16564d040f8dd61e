"""The part of a report about one bundle: its Runs and Offloads, their analysis, and their figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from edge_bench.app.figures.decision_map import decisions
from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.figures.drawing.entries import Entry, entries_by_run, entries_of, machine_names, representative
from edge_bench.app.figures.profiles.operator_times import operator_times
from edge_bench.app.figures.profiles.roofline import roofline
from edge_bench.app.figures.runs.accuracy_time import accuracy_and_time
from edge_bench.app.figures.runs.confusion import confusion
from edge_bench.app.figures.runs.latency import latency_distribution
from edge_bench.app.figures.runs.sustained import sustained_loads
from edge_bench.app.figures.runs.tradeoff import trade_off
from edge_bench.app.figures.runs.trials import trials_over_time
from edge_bench.app.figures.training import training
from edge_bench.app.report.image_source import ImageSource, bundle_images, folder_images
from edge_bench.app.tables.answer.names import configuration_name
from edge_bench.app.tables.profiles.comparison import ExplainedPair, explained_pairs
from edge_bench.app.tables.profiles.difference import profile_names
from edge_bench.bench.analysis.comparison.comparison import Comparison, compare
from edge_bench.bench.analysis.labels.disagreement import confusion_matrix
from edge_bench.bench.analysis.labels.same_images import image_difference
from edge_bench.bench.analysis.profiles.pairs import Profiled, profiled
from edge_bench.bench.analysis.sustained.load import loads_of
from edge_bench.bench.analysis.times.groups import repeats_together, run_number
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.names import recordable
from edge_bench.bench.offload.analysis.assessment import Assessment, assess
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.bundle import LIGHT, ORIGINAL, Bundle
from edge_bench.bench.records.run import CLASSIFY, BundleIdentity, Run

__all__ = ["BundleSection", "bundle_sections"]

#: More matrices cannot be compared by eye.
_MAX_MATRICES = 4
#: With more classes, single cells of a matrix are not visible.
_MAX_CLASSES = 100


@dataclass(frozen=True)
class BundleSection:
    """The part of a report about one bundle."""

    identity: BundleIdentity
    runs: Sequence[Run]
    bundle: Bundle | None  # for test images and training history; None unless given with --bundle
    offloads: Sequence[Offload] = ()
    folder: ImageSource | None = None  # the images of model files' Runs; None unless given with --data

    @property
    def task(self) -> str:
        """What the models do; all Runs of a section have one task."""
        return self.runs[0].task if self.runs else CLASSIFY

    @cached_property
    def images(self) -> ImageSource | None:
        """The measured images; None without them."""
        return self.folder if self.bundle is None else bundle_images(self.bundle)

    @cached_property
    def groups(self) -> list[list[Run]]:
        """The Runs, with the repeats of a Run together."""
        return repeats_together(self.runs)

    @cached_property
    def machines(self) -> dict[str, str]:
        """The machine's short name for each Run id, which is the same for the repeats of a Run."""
        names = zip(machine_names([group[0] for group in self.groups]), self.groups, strict=True)
        return {
            run.run_id: name if len(group) == 1 else f"{name} ({len(group)} runs)"
            for name, group in names
            for run in group
        }

    @cached_property
    def shown_runs(self) -> dict[str, Run]:
        """One Run of each group, by its name: of repeats, the newest of those that measured most configurations."""
        shown = [max(group, key=lambda run: (len(run.results_with_trials), run.began)) for group in self.groups]
        names = zip(machine_names(shown), shown, self.groups, strict=True)
        return {f"{name}{_which(run, group)}": run for name, run, group in names}

    @cached_property
    def entries(self) -> list[Entry]:
        """The measured configurations of the shown Runs, without sustained loads, which have figures of their own."""
        machines = {run.run_id: name for name, run in self.shown_runs.items()}
        return entries_of([run for run in self.shown_runs.values() if not run.settings.sustained], machines)

    @cached_property
    def drawn_entries(self) -> list[Entry]:
        """The configurations that figures show."""
        return representative(self.entries)

    @cached_property
    def comparison(self) -> Comparison | None:
        """The comparison of all Runs but sustained loads; None without measurements."""
        return compare([run for run in self.runs if not run.settings.sustained]) if self.entries else None

    @cached_property
    def assessments(self) -> list[tuple[Offload, Assessment, Drawing | None]]:
        """Each Offload with its assessment and its decision map."""
        assessed = [(offload, assess(offload)) for offload in self.offloads]
        return [(offload, assessment, decisions(offload, assessment)) for offload, assessment in assessed]

    @cached_property
    def profiles(self) -> list[Profiled]:
        """The profiles of configurations of the shown Runs; none of emulated Runs."""
        return profiled(list(self.shown_runs.values()))

    # -- figures: None if there is nothing to draw

    @cached_property
    def training(self) -> Drawing | None:
        """The paper's Figure 4; requires the bundle."""
        history = None if self.bundle is None else self.bundle.history()
        return training(history) if history and history.loss else None

    @cached_property
    def accuracy_and_time(self) -> Drawing | None:
        """The paper's Figure 5, of other tasks with their own measure."""
        return accuracy_and_time(self.drawn_entries) if self.drawn_entries else None

    @cached_property
    def trade_off(self) -> Drawing | None:
        """Quality against time of configurations with a known quality that are not emulated."""
        known = [
            entry
            for entry in self.drawn_entries
            if not entry.emulated and entry.quality is not None and entry.quality.value is not None
        ]
        return trade_off(known) if known else None

    @cached_property
    def profile_pairs(self) -> list[ExplainedPair]:
        """The profiles that are compared."""
        baseline = self.comparison.baseline if self.comparison else None
        return explained_pairs(list(self.shown_runs.values()), baseline, self.machines)

    @cached_property
    def operators(self) -> list[Drawing]:
        """Time and roofline of the operators of one profile, or of the two that are compared first."""
        if not self.profiles:
            return []
        pairs = self.profile_pairs
        profiles = pairs[0].profiles if pairs else [self.profiles[0].profile]
        names = pairs[0].names if pairs else profile_names(profiles)
        drawings = operator_times(profiles, names), roofline(profiles, names)
        return [drawing for drawing in drawings if drawing]

    @cached_property
    def trials(self) -> list[Drawing]:
        """One figure per shown Run that is not emulated."""
        real = [entry for entry in self.entries if not entry.emulated]
        return [
            trials_over_time(representative(entries), number)
            for number, entries in enumerate(entries_by_run(real), start=1)
        ]

    @cached_property
    def sustained(self) -> list[Drawing]:
        """One figure per shown Run that is a sustained load."""
        loads = [(name, run, found) for name, run in self.shown_runs.items() if (found := loads_of(run))]
        return [
            sustained_loads(found, [configuration_name(each.configuration, found) for each in found], run.unit, name,
                            number)
            for number, (name, run, found) in enumerate(loads, start=1)
        ]  # fmt: skip

    @cached_property
    def latency(self) -> Drawing | None:
        """Latencies of configurations that are not emulated."""
        real = [entry for entry in self.drawn_entries if not entry.emulated]
        real = [entry for entry in real if all(trial.latencies.length for trial in entry.result.trials)]
        return latency_distribution(real) if real else None

    @cached_property
    def confusion(self) -> Drawing | None:
        """Confusion matrices of the original and the light model on each machine."""
        known = [entry for entry in self.entries if entry.correct is not None and entry.result.predictions is not None]
        candidates = [entry for entry in known if entry.variant in (ORIGINAL, LIGHT)] or known
        chosen = list({(entry.machine, entry.variant): entry for entry in reversed(candidates)}.values())[::-1]
        count = len(self.identity.classes)
        if not chosen or count > _MAX_CLASSES:
            return None
        matrices = [
            (
                f"{entry.full_name}{' (ASSUMED)' if entry.run.accuracy_assumed else ''}",
                confusion_matrix(entry.truth[entry.labels >= 0], entry.labels[entry.labels >= 0], count),
            )
            for entry in chosen[:_MAX_MATRICES]
            if max(int(np.max(entry.truth)), int(np.max(entry.labels))) < count
        ]
        return confusion(matrices, self.identity.classes) if matrices else None

    @property
    def drawings(self) -> list[Drawing]:
        """All figures, in the order of the page."""
        maps = [drawing for _, _, drawing in self.assessments]
        times = [self.accuracy_and_time, self.trade_off, *self.operators, *self.sustained, *self.trials, self.latency]
        return [drawing for drawing in [*maps, *times, self.confusion, self.training] if drawing]


def _which(run: Run, group: Sequence[Run]) -> str:
    """Return `` (run 5 of 5)`` for one of several repeats."""
    if len(group) == 1:
        return ""
    return f" (run {run_number(run, group)} of {max(len(group), *(each.repeat for each in group))})"


def bundle_sections(
    runs: Sequence[Run], bundles: Sequence[Bundle], offloads: Sequence[Offload] = (), data: Sequence[Path] = ()
) -> list[BundleSection]:
    """Return one section per bundle, in the order of the Runs; Runs of different bundles are never compared.

    Runs of the same model files on images that were replaced between them, or with other tasks, are in sections of
    their own. data: folders of images of model files' Runs. Raise BadInput for a bundle without Runs and Offloads, and
    for a folder that is of no Run.
    """
    by_bundle: dict[str, list[tuple[list[Run], list[Offload]]]] = {}
    for run in {run.run_id: run for run in runs}.values():
        parts = by_bundle.setdefault(run.bundle.sha256, [])
        part = next((part for part in parts if _belong_together(run, part[0][0])), None)
        if part is None:
            parts.append(part := ([], []))
        part[0].append(run)
    for offload in {offload.offload_id: offload for offload in offloads}.values():
        by_bundle.setdefault(offload.bundle.sha256, [([], [])])[0][1].append(offload)
    folders = {bundle.digest: bundle for bundle in bundles}
    for digest, bundle in folders.items():
        if digest not in by_bundle:
            raise BadInput(f"{bundle.folder}: no Run measured this bundle", "use the measured bundle")
    images = _images_by_run(runs, data)
    return [
        BundleSection(
            (own_runs or own_offloads)[0].bundle,
            own_runs,
            folders.get(digest),
            own_offloads,
            next((images[run.run_id] for run in own_runs if run.run_id in images), None),
        )
        for digest, parts in by_bundle.items()
        for own_runs, own_offloads in parts
    ]


def _belong_together(run: Run, other: Run) -> bool:
    return run.task == other.task and not image_difference(run, other)


def _images_by_run(runs: Sequence[Run], folders: Sequence[Path]) -> dict[str, ImageSource]:
    """Return the images of each Run; of several folders with as many images, that with the name of the Run's data."""
    found: dict[str, ImageSource] = {}
    datasets = {run.run_id: run.bundle.dataset for run in runs}
    for folder in folders:
        name = recordable("/".join(folder.resolve().parts[-2:]))
        for run_id, images in folder_images(folder, runs).items():
            if run_id not in found or datasets[run_id] == name:
                found[run_id] = images
    return found
