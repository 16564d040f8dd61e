"""What an engine delivered for a model, and the interface of whatever measures it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_bench.app.nightly.settings.reading import Model
from edge_bench.bench.records.nights.night import MeasurementState
from edge_bench.bench.records.run import Run

__all__ = ["EngineOutcome", "Measurer", "Request"]


@dataclass(frozen=True)
class Request:
    """A model to measure on some engines. The same request in the same folder continues what is there."""

    model: Model
    engines: Sequence[str]
    folder: Path  # for Run files and journals
    variants: str = ""  # instead of those of the settings

    @property
    def own_folder(self) -> Path:
        """The folder of this machine's files."""
        return self.folder / "this-machine"

    @property
    def fleet_folder(self) -> Path:
        """The folder of the other engines' files."""
        return self.folder / "fleet"


@dataclass(frozen=True)
class EngineOutcome:
    """The Run of an engine, or why there is none."""

    engine: str
    state: MeasurementState
    reason: str = ""
    remedy: str = ""
    image: str = ""  # of its container; empty: this machine
    run: Run | None = None
    path: Path | None = None


class Measurer(Protocol):
    """Measures models on engines: this machine and a fleet, or recorded Runs in a study."""

    def measure(self, request: Request) -> list[EngineOutcome]:
        """Return an outcome for each engine, in the order of the request. An engine's failure is no error."""
