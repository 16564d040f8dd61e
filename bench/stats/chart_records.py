"""Records of a control chart: its rules, judgements, steps and creeps."""

from enum import StrEnum
from typing import NamedTuple

from edge_bench.bench.stats.ratios import MATERIAL

__all__ = ["EMPTY", "RULES", "ChartState", "Creep", "Judgement", "Mark", "Reference", "Rules", "Step"]


class Rules(NamedTuple):
    """When a value is beyond its limits, and when it is a step or a creep.

    The numbers were chosen by simulation (studies/calibration/nights.py): few false alarms in 365 values, and a 10 %
    step found within seven. Limits are those of Student's t for one more value.
    """

    minimum: int = 8  # minimum number of values for computing limits
    trailing: int = 30  # maximum number of last values for computing limits
    outliers: float = 0.999  # probability that a value is not an outlier; outliers are in no reference
    successive: int = 2  # number of successive outliers on one side that make a step
    limits: float = 0.73  # probability of a value within the inner limits
    needed: int = 6  # values beyond the inner limits on one side, of ``window`` in succession, that make a step
    window: int = 7
    settled: int = 14  # number of values since a step after which another step needs no test of means
    means: float = 0.999  # probability of a difference of means without a step, with fewer values
    least: int = 14  # creep compares the first with the last third of the values: at least this many of each,
    first: int = 40  # at most this many of the first,
    last: int = 30  # and at most this many of the last
    creep: float = 0.008  # two-sided level of one test of creep
    material: float = MATERIAL  # smallest relative change that counts


RULES = Rules()


class Mark(StrEnum):
    """The state of a value in its series."""

    TOO_FEW = "too few runs"
    WITHIN = "within limits"  # of outliers
    OUTLIER = "outlier"
    UNCONFIRMED = "unconfirmed"  # an outlier, or the first value after a step: the next values will decide
    STEP = "step"  # the first value after a step
    CONFIRMING = "confirming"  # another value that showed that there was a step


class Judgement(NamedTuple):
    """A value compared with those before it."""

    reference: float | None  # mean of the reference; None for the first value
    error: float = 0.0  # standard error of the prediction of one value
    freedom: int = 0  # degrees of freedom of ``error``; 0 with too few values for a judgement
    side: int = 0  # -1 below the inner limits, 1 above them, 0 within
    far: bool = False  # beyond the limits of outliers


class Step(NamedTuple):
    """A confirmed step."""

    first: int  # index of the first value after it
    confirmed: int  # index of the value that confirmed it
    side: int  # 1 up, -1 down
    before: list[float]  # the reference by which it was found


class Creep(NamedTuple):
    """A creep from when it was found until it ends."""

    found: int  # index of the value at which it was found
    ended: int | None  # index of the first value at which it was over; None if it continues
    side: int  # 1 up, -1 down
    before: list[float]  # the first values after the last step
    after: list[float]  # the last values at which it lasted


class Reference(NamedTuple):
    """The values that another one is compared with."""

    values: list[float]
    squares: float  # sum of squared deviations that the spread is estimated from
    freedom: int


class ChartState(NamedTuple):
    """A chart after some values, from which it can be continued."""

    judgements: list[Judgement]
    steps: list[Step]
    creeps: list[Creep]
    start: int
    used: list[int]
    before: Reference
    early_outliers: list[int]


EMPTY = ChartState([], [], [], 0, [], Reference([], 0.0, 0), [])
