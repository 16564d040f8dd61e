"""Unique names for different models in several Runs."""

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.run import Result, Run

__all__ = ["distinguished"]

_Model = tuple[str, str]  # variant, and a key that is the same for the same model and preprocessing

#: Suffixes of a variant's name, in order of preference.
_SUFFIXES: tuple[Callable[[Run, Result], str], ...] = (
    # the models of bundles have their own names; the model files of a Run are named after their files
    lambda run, _: run.bundle.model if run.bundle.created and "/" not in run.bundle.model else "",
    lambda _, result: result.sha256[:8],
    lambda run, _: run.preprocessing.name if run.preprocessing else "",
    lambda run, _: run.bundle.sha256[:8],
    lambda run, _: run.run_id[:8],
)


def distinguished(runs: Sequence[Run]) -> tuple[list[RunResult], list[str]]:
    """Return all results of the Runs, with different names for different models, and notes on these names.

    If two models have the same name, both become ``NAME@SUFFIX``: the name of the model or the start of its checksum.
    The same file with another preprocessing or other classes is another model. Other Runs are unchanged.
    """
    models = _models_of(runs)
    firsts: dict[_Model, tuple[Run, Result]] = {}
    for run, keys in zip(runs, models, strict=True):
        for model, result in zip(keys, run.results, strict=True):
            firsts.setdefault(model, (run, result))
    variants = Counter(variant for variant, _ in firsts)
    clashing = {model: first for model, first in firsts.items() if variants[model[0]] > 1}
    suffixes = _suffixes(clashing)
    found: list[RunResult] = []
    for run, keys in zip(runs, models, strict=True):
        results = [_renamed(result, model, suffixes) for model, result in zip(keys, run.results, strict=True)]
        named = msgspec.structs.replace(run, results=results) if suffixes.keys() & set(keys) else run
        found += [RunResult(named, result, variant) for (variant, _), result in zip(keys, named.results, strict=True)]
    return found, _notes(runs, {model: (suffix, clashing[model][0]) for model, suffix in suffixes.items()})


def _models_of(runs: Sequence[Run]) -> list[list[_Model]]:
    """Return the model of each result of each Run."""
    known: dict[tuple[str, str], str] = {}  # the same in all Runs of a bundle, also in old ones that record less
    models = []
    for run in runs:
        step, sha256 = run.preprocessing, run.bundle.sha256
        interpretation = run.bundle.classes, step and (step.scale, step.offset, step.channel_order, step.geometry)
        content = {
            result.configuration.variant: repr((result.sha256 or sha256, interpretation)) for result in run.results
        }
        models.append(
            [
                (variant, known.setdefault((variant, sha256), content[variant]))
                for variant in (result.configuration.variant for result in run.results)
            ]
        )
    return models


def _suffixes(clashing: dict[_Model, tuple[Run, Result]]) -> dict[_Model, str]:
    """Return the first kind of suffix that is unique for all models of the same name."""
    for suffix_of in _SUFFIXES:
        suffixes = {model: suffix_of(*first) for model, first in clashing.items()}
        names = {(variant, suffix) for (variant, _), suffix in suffixes.items()}
        if all(suffixes.values()) and len(names) == len(suffixes):
            return suffixes
    return {model: str(number) for number, model in enumerate(clashing, start=1)}  # copies of one Run, altered


def _renamed(result: Result, model: _Model, suffixes: dict[_Model, str]) -> Result:
    if model not in suffixes:
        return result
    configuration = msgspec.structs.replace(result.configuration, variant=f"{model[0]}@{suffixes[model]}")
    return msgspec.structs.replace(result, configuration=configuration)


def _notes(runs: Sequence[Run], renamed: dict[_Model, tuple[str, Run]]) -> list[str]:
    if not renamed:
        several = len({run.bundle.sha256 for run in runs}) > 1
        return ["the Runs are of different models, or of different preprocessing, on the same images"] * several
    texts = [
        f"{variant}@{suffix} in run {run.run_id[:8]} of {run.began[:16].replace('T', ' ')}"
        for (variant, _), (suffix, run) in renamed.items()
    ]
    return [f"different models have the same name: {', '.join(texts)}"]
