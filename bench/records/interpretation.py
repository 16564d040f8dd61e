"""How a setting that affects accuracy was chosen: stated, read from the model, tested on the data, or assumed."""

import enum
from collections.abc import Iterable

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr

__all__ = ["Interpretation", "Source", "any_assumed"]


class Source(enum.StrEnum):
    """Why an interpretation was adopted."""

    STATED = "stated"  # by an option
    MODEL = "model"  # stated in the model's file: its metadata, or its quantization
    DATA = "data"  # determined by the data: float values, numbers as labels
    TESTED = "tested"  # clearly the most accurate of all on the labelled images
    DEFAULT = "default"  # a convention without alternatives
    ASSUMED = "assumed"  # one of several, without evidence; an accuracy that depends on it is marked


class Interpretation(msgspec.Struct, frozen=True, kw_only=True):
    """One interpretation, with the option that states it."""

    subject: BoundedStr  # preprocessing · labels · threshold · images
    value: BoundedStr  # such as "unit (0 to 1)"
    source: Source
    reason: BoundedStr = ""
    option: BoundedStr = ""  # that selects this interpretation
    variant: BoundedStr = ""  # the model it is about; empty for all models

    def __str__(self) -> str:
        about = f"{self.variant}: " if self.variant else ""
        reason = f": {self.reason}" if self.reason else ""
        option = f"; set it with {self.option}" if self.option and self.source is not Source.STATED else ""
        return f"{about}{self.subject}: {self.value} ({_WORDS[self.source]}{reason}){option}"


_WORDS = {
    Source.STATED: "set",
    Source.MODEL: "read from the model",
    Source.DATA: "read from the data",
    Source.TESTED: "tested on the scored images",
    Source.DEFAULT: "default",
    Source.ASSUMED: "ASSUMED",
}


def any_assumed(interpretations: Iterable[Interpretation]) -> bool:
    """Return whether an accuracy depends on an assumption."""
    return any(item.source is Source.ASSUMED for item in interpretations)
