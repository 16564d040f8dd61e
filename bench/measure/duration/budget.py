"""Images, trials and processes that fit in the time that ``--budget`` allows, chosen before the first trial."""

import math
from collections.abc import Collection, Iterator
from typing import NamedTuple

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.duration.cost import RunCost
from edge_bench.bench.progress import about, duration_text
from edge_bench.bench.records.run import Settings
from edge_bench.bench.stats.student import t_quantile
from edge_bench.bench.wording import counted

__all__ = ["CHOSEN", "Choice", "choose", "describe", "precision"]

#: Fields of Settings that a budget chooses, unless the user stated them.
CHOSEN = ("limit", "trials", "processes")
#: Share of the budget that is planned. The rest is a reserve for delays that a warm-up cannot predict.
_PLANNED = 0.95


class _Step(NamedTuple):
    """The fewest images at which this many trials and processes are still preferred to fewer trials."""

    images: int
    trials: int
    processes: int


#: Images are reduced first, down to 100, then trials. Fewer than 100 images are chosen only with 10 trials. The last
#: step is the minimum: a median of six trials has a 95 % interval, and three processes show whether processes differ.
_STEPS = (_Step(100, 30, 5), _Step(100, 20, 5), _Step(100, 10, 5), _Step(20, 10, 5), _Step(20, 10, 3), _Step(20, 6, 3))


class Choice(NamedTuple):
    """The chosen settings, the number of images, and the expected seconds."""

    settings: Settings
    images: int
    seconds: float


def choose(
    cost: RunCost,
    seconds: float,
    settings: Settings,
    stated: Collection[str],
    count: int,
    *,
    used: float = 0.0,
    runs: int = 1,
) -> Choice:
    """Return the settings with the most images (up to ``count``), then the most trials, at which ``runs`` runs fit.

    seconds: the budget, of which ``used`` were needed to measure the speed
    stated: the settings of `CHOSEN` that are kept. A limit that includes all images stays None

    Raise BadInput if even the smallest settings take longer. The message says how long they take.
    """
    least = None
    for fewest, candidate in _candidates(settings, stated):
        fixed = "limit" in stated or count <= fewest
        options = [min(settings.limit or count, count)] if fixed else _round_numbers(count, fewest)
        for images in options:
            least = Choice(_limited(candidate, images, count, stated), images, cost.seconds(candidate, images))
            if runs * least.seconds <= _PLANNED * (seconds - used):
                return least
    assert least is not None  # noqa: S101 - there is always a step
    kept = " and ".join(f"--{name}" for name in CHOSEN if name in stated)
    several = f"each of {runs} runs" if runs > 1 else "a run"
    raise BadInput(
        f"--budget {duration_text(seconds)} is too short: measuring the speed took {duration_text(used)}, and "
        f"{several} takes at least {about(least.seconds)} with {describe(least, count)}",
        f"use --budget {_option_value(used + runs * least.seconds / _PLANNED)} or more, or fewer configurations "
        f"(--variant, --runtime){f', or omit {kept}' if kept else ''}",
    )


def _option_value(seconds: float) -> str:
    """Return at least ``seconds`` as a value of --budget, with some seconds in reserve."""
    needed = 1.1 * seconds + 1
    return f"{5 * math.ceil(needed / 5)}s" if needed <= 120 else f"{math.ceil(needed / 60)}m"


def describe(choice: Choice, count: int) -> str:
    """Return the chosen numbers: ``2,300 of 10,000 images, 30 trials in 5 processes``."""
    settings = choice.settings
    images = f"{choice.images:,} of {counted(count, 'image')}" if choice.images < count else f"all {count:,} images"
    return f"{images}, {counted(settings.trials, 'trial')} in {counted(settings.processes, 'process')}"


def precision(choice: Choice, wanted: Settings, count: int, *, accuracy: bool) -> str:
    """Return how much precision fewer images and trials than ``wanted`` cost; empty if none.

    ``accuracy`` is whether an accuracy is measured. Its 95 % interval is widest at 50 % correct.
    """
    costs = list[str]()
    if choice.images < count:
        if accuracy:
            costs.append(f"accuracy within ±{_points(choice.images):.1f} points (all images: ±{_points(count):.1f})")
        else:
            costs.append(f"confidence intervals of quality about {math.sqrt(count / choice.images):.1f}× as wide")
    widening = max(
        math.sqrt(wanted.trials / choice.settings.trials), _half_width(choice.settings) / _half_width(wanted)
    )
    if widening > 1.05:
        costs.append(f"confidence intervals of times up to {widening:.1f}× as wide")
    return "; ".join(costs)


def _candidates(settings: Settings, stated: Collection[str]) -> Iterator[tuple[int, Settings]]:
    previous = None
    for step in _STEPS:
        chosen = {
            name: min(getattr(step, name), getattr(settings, name))
            for name in ("trials", "processes")
            if name not in stated
        }
        candidate = step.images, msgspec.structs.replace(settings, **chosen)
        if candidate != previous:
            yield candidate
        previous = candidate


def _limited(settings: Settings, images: int, count: int, stated: Collection[str]) -> Settings:
    if "limit" in stated:
        return settings
    return msgspec.structs.replace(settings, limit=images if images < count else None)


def _round_numbers(count: int, fewest: int) -> Iterator[int]:
    """Yield ``count`` and all smaller numbers with two significant digits, down to ``fewest``."""
    number = count
    while number > fewest:
        yield number
        digits = 10 ** max(0, len(str(number - 1)) - 2)
        number = (number - 1) // digits * digits
    yield fewest


def _points(images: int) -> float:
    """Return half the width of the 95 % interval of an accuracy of 50 %, in percentage points."""
    return 100 * 1.96 * 0.5 / math.sqrt(images)


def _half_width(settings: Settings) -> float:
    """Return a number proportional to the interval over processes: t(n - 1)/√n, or 1/√trials for one process."""
    processes = min(settings.processes, settings.trials)
    if processes == 1:
        return 1 / math.sqrt(settings.trials)
    return t_quantile(processes - 1) / math.sqrt(processes)
