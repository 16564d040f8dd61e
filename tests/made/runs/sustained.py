"""Runs of sustained loads with known times, temperatures and clocks."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Configuration, Result, Run, Settings, Sustained, Trial
from tests.factories import LABELS
from tests.factories import run as run_of

__all__ = ["DURATION_S", "IMAGES", "jump", "sustained_result", "sustained_run"]

DURATION_S, IMAGES = 1800.0, 100
_TRIAL_S = 5.0


def jump(share: float, factor: float, until: float = 1.0) -> Callable[[float], float]:
    """Return a relative time that is ``factor`` from a share of the duration ``until`` another one, otherwise 1."""
    return lambda now: factor if share <= now < until else 1.0


def sustained_result(
    variant: str,
    times: Callable[[float], float] = lambda _: 1.0,
    *,
    milliseconds: float = 0.03,
    noise: float = 0.004,
    seed: int = 0,
    seconds: float = DURATION_S,
    sensors: bool = True,
) -> Result:
    """Trials of 5 s for ``seconds``, of ``times`` × ``milliseconds`` per image at a share of the duration.

    With ``sensors``, the machine warms up from 45 °C by 20 °C within the duration, and its clock is 1,800 MHz divided
    by ``times``.
    """
    generator, trials, now = np.random.default_rng(seed), list[Trial](), 0.0
    while now < seconds:
        share = now / DURATION_S
        factor = times(share)
        passes = round(1e3 * _TRIAL_S / (milliseconds * IMAGES))
        elapsed = passes * milliseconds / 1e3 * IMAGES * factor * float(generator.lognormal(0, noise))
        trials.append(
            Trial(
                process=0, round=len(trials), sequence_number=len(trials), began_ns=int(1e9 * now) + 77, passes=passes,
                elapsed_ns=int(1e9 * elapsed), correct=IMAGES, latencies=pack([1, 2, 3]),
                temperature_c=45 + 20 * share if sensors else None, clock_mhz=1800 / factor if sensors else None,
                throttled=["hot"] if factor > 1 else [],
            )
        )  # fmt: skip
        now += elapsed + 0.01
    return Result(
        configuration=Configuration(variant=variant, runtime="litert", threads=1, batch_size=1), bytes=1000, sha256="",
        trials=trials, predictions=pack(LABELS),
    )  # fmt: skip


def sustained_run(*results: Result, complete: bool = True, duration_s: float = DURATION_S) -> Run:
    """Return a Run of these results."""
    settings = Settings(sustained=Sustained(duration_s=duration_s))
    return msgspec.structs.replace(run_of(*_in_turn(results)), settings=settings, complete=complete, trusted=complete)


def _in_turn(results: Sequence[Result]) -> list[Result]:
    """Return the results, each beginning when the one before has ended."""
    moved, began = list[Result](), 0
    for result in results:
        trials = [msgspec.structs.replace(each, began_ns=each.began_ns + began) for each in result.trials]
        moved.append(msgspec.structs.replace(result, trials=trials))
        began = trials[-1].began_ns + trials[-1].elapsed_ns if trials else began
    return moved
