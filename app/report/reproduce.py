"""Everything needed to repeat it: commands, versions, settings, checksums."""

import shlex

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.report.chapter import Chapter
from edge_bench.app.report.machines import facts_table
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run

__all__ = ["how_to_repeat"]

#: What ``run`` takes where nobody says otherwise: batch sizes of TensorFlow and of the others.
_BATCHES = {"tensorflow": 32}


def how_to_repeat(chapter: Chapter) -> Html:
    """The commands, then one column a Run, then the checksums."""
    commands = [_train(chapter.bundle)] if chapter.bundle else []
    commands += list(dict.fromkeys(_run(run) for run in chapter.runs))
    commands += list(dict.fromkeys(_offload(offload) for offload in chapter.offloads))
    bundle = " --bundle artifacts/bundle" if chapter.bundle else ""
    commands += ["edge-bench compare results"] if chapter.runs else []
    commands += [f"edge-bench report results{bundle} -o report.html"]
    names = [chapter.machines[run.run_id] for run in chapter.runs]
    return fragment(
        element("pre", element("code", "\n".join(commands)), tabindex="0"),
        facts_table("The Runs", names, _versions(chapter)) if chapter.runs else None,
        element("h3", "Checksums (SHA-256)"),
        element("dl", *_checksums(chapter)),
    )


def _train(bundle: Bundle) -> str:
    manifest = bundle.manifest
    if manifest.history is None:
        source = str(manifest.hyper_parameters.get("exported from", "MODEL"))
        return shlex.join(
            ["edge-bench", "export", source, "--bundle", "artifacts/bundle", "--seed", str(manifest.seed)]
        )
    words = ["edge-bench", "train", "--bundle", "artifacts/bundle", "--model", manifest.model.name]
    words += ["--dataset", manifest.dataset.name]
    for name in ("epochs", "batch_size", "learning_rate", "dropout"):
        if name in manifest.hyper_parameters:
            words += [f"--{name.replace('_', '-')}", str(manifest.hyper_parameters[name])]
    return shlex.join([*words, "--seed", str(manifest.seed)])


def _run(run: Run) -> str:
    configurations = [result.configuration for result in run.results]
    if not run.bundle.created:  # model files, with data of someone's
        files = dict.fromkeys(c.variant for c in configurations)
        words = ["edge-bench", "run", *files, *(["--data", run.bundle.dataset] if run.labelled else [])]
        words += ["--preprocess", run.preprocessing.name] if run.preprocessing and run.preprocessing.name else []
    else:
        words = ["edge-bench", "run", "artifacts/bundle"]
        words += ["--variant", ",".join(dict.fromkeys(c.variant for c in configurations))]
    words += ["--runtime", ",".join(dict.fromkeys(c.runtime for c in configurations))]
    threads = {c.threads for c in configurations}
    usual = all(c.threads == (run.machine.cores if c.runtime == "tensorflow" else 1) for c in configurations)
    if not usual:
        words += ["--threads", ",".join(map(str, sorted(threads)))]
    if any(c.batch_size != _BATCHES.get(c.runtime, 1) for c in configurations):
        words += ["--batch-size", ",".join(map(str, sorted({c.batch_size for c in configurations})))]
    settings = run.settings
    words += ["--trials", str(settings.trials), "--processes", str(settings.processes), "--seed", str(settings.seed)]
    if settings.limit is not None:
        words += ["--limit", str(settings.limit)]
    if settings.resample is not None:
        words += ["--resample", str(settings.resample)]
    if settings.scenario:
        words += ["--scenario", settings.scenario]
    return shlex.join(words)


def _offload(offload: Offload) -> str:
    settings, configuration = offload.settings, offload.configuration
    words = ["edge-bench", "offload", "artifacts/bundle", "--server", offload.server.url]
    words += ["--variant", configuration.variant, "--runtime", configuration.runtime]
    words += ["--threads", str(configuration.threads)]
    for link in offload.links:
        words += ["--link", link.figures]
    words += ["--trials", str(settings.trials), "--processes", str(settings.processes), "--seed", str(settings.seed)]
    return shlex.join([*words, "--limit", str(settings.limit)])


def _versions(chapter: Chapter) -> dict[str, list[str]]:
    runs = chapter.runs
    return {
        "Run": [run.run_id for run in runs],
        "began": [run.began for run in runs],
        "took": [f"{run.wall_seconds:,.0f} s" for run in runs],
        "edge-bench": [f"{run.tool_version}, revision {run.tool_revision}" for run in runs],
        "record": [f"schema {run.schema_version}" for run in runs],
    }


def _checksums(chapter: Chapter) -> list[Html]:
    identity = chapter.identity
    sums = {f"bundle of {identity.created}, its manifest": identity.sha256, f"data, {identity.dataset}": ""}
    sums[f"data, {identity.dataset}"] = identity.dataset_sha256
    for run in chapter.runs:
        for result in run.results:
            if result.sha256:
                sums[f"{result.configuration.variant}, {result.bytes:,} bytes"] = result.sha256
    return [
        fragment(element("dt", name, class_="small"), element("dd", value, class_="sum"))
        for name, value in sums.items()
        if value
    ]
