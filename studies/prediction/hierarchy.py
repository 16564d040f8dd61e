"""The prior of the parameters of all cells together: what cells of similar hardware and software have in common.

A parameter of a cell is a value from data sheets times random effects, which are shared by all cells of the same core,
board, precision and so on. So rows of one cell inform all others, the more the more they have in common: a board
without rows gets the mean of its relatives, and the variance of what differs between them.
The standard deviations are round numbers, not fitted.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.prediction.device_file import OVERLAP, PARAMETERS
from edge_bench.bench.prediction.latency_model import Hardware
from studies.prediction.hardware import BIG_LITTLE, CORES, Core, cache_kb, copy_bandwidth, read_bandwidth
from studies.prediction.table import Cell

__all__ = ["extrapolation", "hardware_of", "prior"]

Floats = npt.NDArray[np.float64]
_PEAKS = 5  # the first parameters
_BANDWIDTH, _OVERHEADS = 6, 7
#: XNNPACK packs weights before the first inference, so threads hardly change how they come from memory, nor the work to
#: start an operator. ruy packs them in each inference.
_LESS = {"xnnpack": 0.25, "ruy": 1.0}
#: Standard deviation of the logarithm of each parameter, for an effect of size 1.
_SCALE = np.array([0.45, 0.3, 0.3, 0.4, 0.5, 0.5, 0.5, 0.7])
_COMMON = 0.3  # the same of all peaks together
#: What cells share → size of the effect on each parameter, and on all peaks together.
_EFFECTS = {
    ("precision",): (1.5, 1.0),
    ("isa", "precision"): (0.6, 0.6),
    ("order",): (0.25, 0.2),
    ("order", "precision"): (0.2, 0.1),
    ("like",): (0.25, 0.25),
    ("like", "precision"): (0.35, 0.3),
    ("core",): (0.15, 0.2),
    ("core", "precision"): (0.2, 0.1),
    ("device",): (0.06, 0.1),
    ("device", "precision"): (0.12, 0.12),
    ("device", "clock"): (0.1, 0.12),
    ("precision", "scheme"): (0.5, 0.2),
    ("core", "precision", "scheme"): (0.2, 0.12),
    ("several", "precision"): (0.4, 0.3),
    ("several", "isa"): (0.3, 0.3),
    ("several", "core"): (0.4, 0.4),
    ("several", "core", "precision"): (0.2, 0.2),
    ("device", "threads"): (0.15, 0.2),
    ("device", "threads", "precision"): (0.15, 0.15),
    ("version",): (0.06, 0.12),
    ("device", "precision", "scheme", "threads", "clock", "version"): (0.06, 0.06),
}
#: Peaks in units of the core's, by precision: what the kernels of a class reach. First convolutions, k × k, 1 × 1,
#: depthwise and dense ones.
_EFFICIENCY = {"float32": (0.4, 0.6, 0.65, 0.2, 0.33), "int8": (0.2, 0.48, 0.65, 0.075, 0.33)}
#: An in-order core compared with an out-of-order one of the same width. XNNPACK's README: with all cores, a Raspberry
#: Pi 3+ takes 1.53 to 1.80 times as long as a Raspberry Pi 4, of which the clocks explain 1.07.
_IN_ORDER = np.array([-0.3, -0.3, -0.3, -0.5, -0.4, -0.3, 0.0, 0.3])
#: n threads are n^exponent times as fast. XNNPACK: 3.2 times with four (README, Pixel 2). Old kernels scale less.
_THREADS = {"xnnpack": {"float32": 0.84, "int8": 0.84}, "ruy": {"float32": 0.46, "int8": 0.72}}
_OVERHEAD = 4.0  # thousands of cycles per operator; twice as many with several threads


def prior(cells: Sequence[Cell]) -> tuple[Floats, Floats]:
    """Return mean and covariance of the logarithms of all parameters of cells of one kernel library."""
    count, size = len(cells), len(PARAMETERS)
    covariance = np.zeros((count, size, count, size))
    for names, (each, together) in _EFFECTS.items():
        same = _same(cells, names)
        for number in range(size):
            deviation = each * _SCALE[number]
            if number == _BANDWIDTH and names[0] == "device":
                deviation *= 1.5  # boards differ more in their memory than in their cores
            if number in (_BANDWIDTH, _OVERHEADS) and {"several", "threads"} & set(names):
                deviation *= _LESS[cells[0].kernels]
            covariance[:, number, :, number] += deviation**2 * same
        for first in range(_PEAKS):
            for second in range(_PEAKS):
                covariance[:, first, :, second] += (together * _COMMON) ** 2 * same
        for first in (1, 2):  # k × k and 1 × 1 convolutions have the same matrix kernels
            for second in (1, 2):
                covariance[:, first, :, second] += (each * _COMMON) ** 2 / 2 * same
    flat = covariance.reshape(count * size, count * size) + 1e-6 * np.eye(count * size)
    return np.array([_mean(cell) for cell in cells]).ravel(), flat


def hardware_of(cell: Cell) -> Hardware:
    """Return what the latency model needs to know of a cell."""
    return Hardware(cell.clock_ghz, OVERLAP[cell.kernels], cache_kb(cell.device))


def extrapolation(cell: Cell) -> float:
    """Return the standard deviation per natural logarithm of the distance outside the sizes of the models of the fit.

    With several threads, published latencies are mostly of large detectors. XNNPACK's README has smaller models, which
    scale better: the predictions of a Raspberry Pi 4 deviate from it by about this much.
    """
    return 0.05 if cell.threads == 1 else 0.15


def _same(cells: Sequence[Cell], names: Sequence[str]) -> Floats:
    labels = [tuple(_labels(cell)[name] for name in names) for cell in cells]
    return np.array([[a == b for b in labels] for a in labels], np.float64)


def _labels(cell: Cell) -> dict[str, object]:
    core = CORES[cell.core]
    mixed = cell.device in BIG_LITTLE
    return {
        "precision": cell.precision,
        "isa": core.isa,
        "order": core.order,
        "like": core.like + (" with little cores" if mixed else "") + _int8(core, cell.precision),
        "core": cell.device if mixed else cell.core,
        "device": cell.device,
        "clock": cell.clock_ghz,
        "scheme": cell.scheme,
        "several": cell.threads > 1,
        "threads": cell.threads,
        "version": cell.version,
    }


def _int8(core: Core, precision: str) -> str:
    """Return what sets the int8 kernels of a core apart from those of similar cores: no dot products."""
    return " without dot products" if precision == "int8" and core.int8 < 4 * core.float32 else ""


def _mean(cell: Cell) -> Floats:
    core = CORES[cell.core]
    width = core.float32 if cell.precision == "float32" else core.int8
    big, little = BIG_LITTLE.get(cell.device, (cell.threads, 0))
    used = min(cell.threads, big) + 0.3 * min(max(cell.threads - big, 0), little)
    speedup = used ** _THREADS[cell.kernels][cell.precision]
    if cell.kernels == "xnnpack":  # threads share the memory
        activations = 2.5 * copy_bandwidth(cell.device) / min(cell.threads, 4)
        weights = 1.3 * copy_bandwidth(cell.device)
    else:  # completely overlapped: what counts is the cache
        activations, weights = 6 * cell.clock_ghz * speedup, 0.8 * read_bandwidth(cell.device)
    peaks = [width * speedup * efficiency for efficiency in _EFFICIENCY[cell.precision]]
    values = [*peaks, activations, weights, _OVERHEAD * (1 if cell.threads == 1 else 2)]
    return np.log(values) + (_IN_ORDER if core.order == "in-order" else 0.0)
