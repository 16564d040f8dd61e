"""The settings of a run."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PositiveInt
from edge_bench.bench.records.power import StatedPower

__all__ = ["FirstRound", "Settings", "Sustained"]

PositiveFloat = Annotated[float, msgspec.Meta(gt=0)]


class FirstRound(msgspec.Struct, frozen=True, kw_only=True):
    """The first round of ``run --find-fastest``, which measures all configurations briefly."""

    trials: PositiveInt = 6
    processes: PositiveInt = 3
    finalists: PositiveInt = 8  # maximum number of configurations of the second round that are chosen by their times


#: Durations of a sustained load, in seconds: up to 30 days.
LoadSeconds = Annotated[float, msgspec.Meta(ge=1e-3, le=30 * 24 * 3600)]


class Sustained(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of ``run --duration``: each configuration runs without a pause, one after the other."""

    duration_s: LoadSeconds  # of each configuration, in seconds
    # before each configuration, wait until the hottest zone is at most this warm, in °C; None: do not
    cooldown_c: Annotated[float, msgspec.Meta(ge=-273, le=1000)] | None = None
    cooldown_s: LoadSeconds | None = None  # pause between configurations, in seconds; None: no pause


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a run."""

    trials: NonNegativeInt = 30
    processes: NonNegativeInt = 5
    limit: PositiveInt | None = None  # maximum number of images; None: all
    seed: int = 42
    # the budget in seconds for which limit, trials and processes were chosen, unless they were stated; None: no budget
    budget_s: PositiveFloat | None = None
    timeout_s: float = 600.0  # for each answer of a worker
    scenario: BoundedStr = ""  # offline · single-stream; empty: each runtime's own batch size
    resample: PositiveInt | None = None  # number of images that are drawn for each trial; None: all of Run.images
    memory_limit: PositiveInt | None = None  # bytes that a worker process may allocate; None: no limit
    cpus: BoundedStr = ""  # cores that workers could use, in the kernel's form: 4-7; empty: all of this process
    with_postprocess: bool = False  # the decoding of outputs was timed, separately from the trials
    profile: bool = False  # the operators of each configuration were profiled after the trials
    stateful: bool = False  # the model's state was kept between invocations, so that predictions are not scored
    first_round: FirstRound | None = None  # of --find-fastest; None: one round with all configurations
    # --power: stated by the user, "none", or the file of a sensor; None: the best meter of the machine, if there is one
    power: StatedPower | BoundedStr | None = None
    sustained: Sustained | None = None  # of --duration; None: interleaved trials. Trials and processes do not apply
    # maximum number of workers at the same time: configurations are measured in groups of this size; None: all at once
    at_once: PositiveInt | None = None
