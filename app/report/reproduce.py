"""The report's section on reproducing the results: commands, versions, settings and checksums."""

import shlex
from collections.abc import Callable, Iterable, Sequence

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.report.devices.machines import in_group, properties_table
from edge_bench.bench.measure.options.scenario import Scenario, batch_sizes_for
from edge_bench.bench.offload.records.offload import Offload, OffloadSettings
from edge_bench.bench.preprocessing.presets import PRESETS
from edge_bench.bench.progress import duration_text
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.power import DEVICES, Power, StatedPower
from edge_bench.bench.records.run import CLASSIFY, Run, Settings, Sustained
from edge_bench.bench.runtimes import RUNTIMES

__all__ = ["reproduce_section"]


def reproduce_section(section: BundleSection) -> Html:
    """Return the commands, the versions and settings of each Run, and the checksums."""
    commands = [_train_command(section.bundle)] if section.bundle else []
    commands += list(dict.fromkeys(map(_run_command, section.groups)))
    commands += list(dict.fromkeys(_offload_command(offload) for offload in section.offloads))
    images = ["--bundle", "artifacts/bundle"] if section.bundle else []
    images = ["--data", section.identity.dataset] if section.folder and not section.bundle else images
    commands += ["edge-bench compare results"] if section.runs else []
    commands += [shlex.join(["edge-bench", "report", "results", *images, "-o", "report.html"])]
    names = [section.machines[group[0].run_id] for group in section.groups]
    return fragment(
        element("pre", element("code", "\n".join(commands)), tabindex="0"),
        properties_table("The Runs", names, _versions(section)) if section.runs else None,
        element("h3", "Checksums (SHA-256)"),
        element("dl", *_checksums(section)),
    )


def _train_command(bundle: Bundle) -> str:
    manifest, parameters = bundle.manifest, bundle.manifest.hyper_parameters
    if manifest.history is None:
        words = ["edge-bench", "export", str(parameters.get("exported from", "MODEL")), "--bundle", "artifacts/bundle"]
        names = ["weights"]
    else:
        words = ["edge-bench", "train", "--bundle", "artifacts/bundle", "--model", manifest.model.name]
        words += ["--dataset", manifest.dataset.name]
        names = ["epochs", "batch_size", "learning_rate", "dropout"]
    for name in names:
        if name in parameters:
            words += [f"--{name.replace('_', '-')}", str(parameters[name])]
    return shlex.join([*words, "--seed", str(manifest.seed)])


def _run_command(group: Sequence[Run]) -> str:
    """Return the command of a Run and its repeats.

    Options of its data that no Run records, such as ``--labels``, are missing.
    """
    run = group[0]
    variants = list(dict.fromkeys(result.configuration.variant for result in run.results))
    if run.bundle.created:
        words = ["edge-bench", "run", "artifacts/bundle", "--variant", ",".join(variants)]
    else:  # model files, which have no date of creation, and a note only for random inputs
        words = ["edge-bench", "run", *variants, *([] if run.bundle.note else ["--data", run.bundle.dataset])]
        words += _interpretation_options(run)
    words += [] if run.task == CLASSIFY else ["--task", run.task]
    words += ["--runtime", ",".join(dict.fromkeys(result.configuration.runtime for result in run.results))]
    words += _threads_and_batch_sizes(run) + _delegates(run)
    words += _settings_options(run.settings, Settings(), ("limit", "resample", "scenario", "timeout_s"))
    words += ["--cpus", run.settings.cpus] if run.settings.cpus else []
    words += _sustained_options(run.settings.sustained) if run.settings.sustained else []
    words += ["--find-fastest"] if run.settings.first_round else []
    words += ["--stateful"] if run.settings.stateful else []
    words += ["--with-postprocess"] if run.settings.with_postprocess else []
    words += ["--profile"] if run.settings.profile else []
    words += ["--power", _power_text(run.settings.power)] if run.settings.power else []
    if run.settings.memory_limit is not None:
        mebibytes, rest = divmod(run.settings.memory_limit, 1 << 20)
        words += ["--memory-limit", str(run.settings.memory_limit) if rest else f"{mebibytes}M"]
    words += ["--repeat-runs", str(len(group))] if len(group) > 1 else []
    return shlex.join(words)


def _settings_options(
    settings: Settings | OffloadSettings, default: Settings | OffloadSettings, names: Sequence[str]
) -> list[str]:
    """Return ``--trials``, ``--processes``, ``--seed``, and the named settings that differ from their default."""
    is_sustained = isinstance(settings, Settings) and settings.sustained is not None  # without a number of trials
    words = [] if is_sustained else ["--trials", str(settings.trials), "--processes", str(settings.processes)]
    words += ["--seed", str(settings.seed)]
    for name in names:
        value = getattr(settings, name)
        if value is not None and value != getattr(default, name):
            option = f"--{name.removesuffix('_s').replace('_', '-')}"
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return words


def _sustained_options(load: Sustained) -> list[str]:
    words = ["--duration", f"{load.duration_s:g}s"]
    words += ["--cooldown", f"{load.cooldown_c:g}C"] if load.cooldown_c is not None else []
    return [*words, *(["--cooldown", f"{load.cooldown_s:g}s"] if load.cooldown_s is not None else [])]


def _interpretation_options(run: Run) -> list[str]:
    """Return the options that state how images and labels were interpreted, as far as one value fits all models."""
    same_for_all = run.preprocessing is not None and not run.preprocessing_by_variant
    words = _preprocessing_options(run.preprocessing) if run.preprocessing and same_for_all else []
    of_labels = {record.option for record in run.interpretations if record.subject == "labels" and record.option}
    if len(of_labels) == 1:
        words += of_labels.pop().split()
    return [*words, "--assume"] if run.accuracy_assumed else words


def _preprocessing_options(preprocessing: Preprocessing) -> list[str]:
    order = preprocessing.channel_order
    if preprocessing.name:
        preset = PRESETS.get(preprocessing.name)
        own = ["--channel-order", order] if preset and preset.channel_order != order else []
        return ["--preprocess", preprocessing.name, *own]
    words = ["--channel-order", order]
    for name, values in (("--scale", preprocessing.scale), ("--offset", preprocessing.offset)):
        words += [name, ",".join(map(str, values)) if isinstance(values, list) else str(values)]
    return words


def _delegates(run: Run) -> list[str]:
    """Return ``--delegate`` for each delegate, with the path of its library, unless all used the runtime's default."""
    found = dict[str, str]()
    for result in run.results:
        configuration = result.configuration
        runtime = RUNTIMES.get(configuration.runtime)
        if runtime is not None and runtime.has_interpreter:
            name, *options = (configuration.delegate or "default").split(",")
            library = result.delegate_library
            found[configuration.delegate] = ",".join([library.path if library else name, *options])
    return [word for text in found.values() for word in ("--delegate", text)] if any(found) else []


def _threads_and_batch_sizes(run: Run) -> list[str]:
    """Return ``--threads`` and ``--batch-size``, each unless all runtimes used their defaults."""
    configurations = [result.configuration for result in run.results]
    runtimes = [RUNTIMES[name] for name in {c.runtime for c in configurations} if name in RUNTIMES]
    scenario = next((scenario for scenario in Scenario if scenario == run.settings.scenario), None)
    scenario_sizes = batch_sizes_for(scenario, None)
    threads = {(c.runtime, c.threads) for c in configurations}
    sizes = {(c.runtime, c.batch_size) for c in configurations}
    words = []
    if threads != {(runtime.name, runtime.threads or run.machine.cores) for runtime in runtimes}:
        words += ["--threads", _joined(count for _, count in threads)]
    if sizes != {(runtime.name, size) for runtime in runtimes for size in scenario_sizes or [runtime.batch_size]}:
        words += ["--batch-size", _joined(size for _, size in sizes)]
    return words


def _joined(numbers: Iterable[int]) -> str:
    return ",".join(map(str, sorted(set(numbers))))


def _offload_command(offload: Offload) -> str:
    local = offload.configuration
    words = ["edge-bench", "offload", "artifacts/bundle", "--server", offload.server.url]
    words += ["--model", offload.server.model] if offload.server.model != offload.bundle.model else []
    words += ["--variant", local.variant, "--runtime", local.runtime, "--threads", str(local.threads)]
    payloads = dict.fromkeys(arm.payload for arm in offload.remotes)
    if payloads:
        words += ["--payload", ",".join(payloads), "--in-flight", _joined(arm.in_flight for arm in offload.remotes)]
    for link in offload.links:
        words += ["--link", link.figures]
    words += ["--power", _power_text(offload.power)] if offload.power else []
    names = ("limit", "accuracy_images", "timeout_s", "quality")
    return shlex.join([*words, *_settings_options(offload.settings, OffloadSettings(), names)])


def _power_text(power: StatedPower | str) -> str:
    """Return a value of --power, which is the name of a device if its powers and their source are these."""
    if isinstance(power, str):
        return power
    figures = f"idle={power.idle_w:g}W,compute={power.compute_w:g}W"
    figures += f",transmit={power.transmit_w:g}W" if isinstance(power, Power) else ""
    of_device = (power.idle_w, power.compute_w, power.source)
    known = {(device.idle_w, device.compute_w, device.source): name for name, device in DEVICES.items()}
    return known.get(of_device, figures)


def _versions(section: BundleSection) -> dict[str, list[str]]:
    values: dict[str, Callable[[Run], str]] = {
        "Run": lambda run: run.run_id,
        "began": lambda run: run.began,
        "took": lambda run: duration_text(run.wall_seconds),
        "edge-bench": lambda run: f"{run.tool_version}, revision {run.tool_revision}",
        "file format": lambda run: f"schema {run.schema_version}",
    }
    return {name: [in_group(map(value, group)) for group in section.groups] for name, value in values.items()}


def _checksums(section: BundleSection) -> list[Html]:
    identity = section.identity
    sums = {f"manifest of the bundle of {identity.created}": identity.sha256}
    sums[f"data, {identity.dataset}"] = identity.dataset_sha256
    for result in (result for run in section.runs for result in run.results if result.sha256):
        sums[f"{result.configuration.variant}, {result.bytes:,} bytes"] = result.sha256
    return [
        fragment(element("dt", name, class_="small"), element("dd", value, class_="sum"))
        for name, value in sums.items()
        if value
    ]
