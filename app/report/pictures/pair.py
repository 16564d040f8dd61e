"""Two configurations whose outputs are compared, and what the comparison found."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.entries import Entry
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.bench.analysis.labels.same_images import common_positions

__all__ = ["MAX_SHOWN", "Compared", "Pair", "class_name"]

#: Examples that are shown of two configurations.
MAX_SHOWN = 12
_MAX_NAME = 32
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """Two configurations, on one machine or on two."""

    section: BundleSection
    first: Entry
    second: Entry

    @property
    def common(self) -> tuple[Positions, Positions]:
        """Positions of the same examples in the outputs of both."""
        _, first, second = common_positions(self.first.run.images, self.second.run.images)
        return first, second

    @property
    def numbers(self) -> Positions:
        """Numbers of these examples in the whole data."""
        return common_positions(self.first.run.images, self.second.run.images)[0]

    @property
    def names(self) -> tuple[str, str]:
        """Names of both, with the machine if it differs."""
        if self.first.run is self.second.run:
            return self.first.name, self.second.name
        return self.first.full_name, self.second.full_name

    def example_name(self, place: int) -> str:
        """Return what a reader finds a common example by."""
        number, images = int(self.numbers[place]), self.section.images
        return f"no. {number:,}" if images is None else images.name(number)


class Compared(NamedTuple):
    """What two configurations have in common."""

    text: str
    distance: float  # 0: nothing differs; a pair with a larger distance has more to show; negative: not comparable
    worst: tuple[int, ...] = ()  # positions of common examples that differ most, the worst first


def class_name(section: BundleSection, number: int, names: dict[int, str] | None = None) -> str:
    """Return the name of a class, shortened; names: of classes, before those of the data."""
    known = section.identity.classes
    name = (names or {}).get(number) or (known[number] if 0 <= number < len(known) else f"class {number}")
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"
