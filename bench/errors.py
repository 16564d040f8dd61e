"""One tree of errors; each says what is wrong and what to do.

EdgeBenchError              exit code 1
├── BadInput                2: an argument or a file that cannot be used
│   ├── BundleError         the bundle is missing, unfinished, altered or of another version
│   ├── DatasetError        the data is missing, truncated or altered
│   │   └── DatasetUnavailable   not on this machine and cannot be fetched
│   └── ResultsError        a Run that cannot be read, or runs that cannot be compared
├── GateNotMet              3: a regression, an accuracy drop
├── NotTrusted              4: measured, but not to be trusted (--strict)
└── MissingDependency       1: a package that this command needs is not installed
Interrupted                 130: Ctrl-C or SIGTERM; what was measured is kept
"""

__all__ = [
    "BadInput",
    "BundleError",
    "DatasetError",
    "DatasetUnavailable",
    "EdgeBenchError",
    "GateNotMet",
    "Interrupted",
    "MissingDependency",
    "NotTrusted",
    "ResultsError",
]


class EdgeBenchError(Exception):
    """What is wrong, and in ``remedy`` what to do about it."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class BadInput(EdgeBenchError):
    """An argument or a file that cannot be used."""

    exit_code = 2


class BundleError(BadInput):
    """The bundle is missing, unfinished, altered or of another version."""


class DatasetError(BadInput):
    """The data is missing, truncated or altered."""


class DatasetUnavailable(DatasetError):
    """The data is not on this machine and cannot be fetched."""


class ResultsError(BadInput):
    """A Run that cannot be read, runs that cannot be compared, or a folder that cannot be written."""


class GateNotMet(EdgeBenchError):
    """A comparison failed a condition that the user set."""

    exit_code = 3


class NotTrusted(EdgeBenchError):
    """Measured, but not to be trusted, and the user asked to be strict."""

    exit_code = 4


class MissingDependency(EdgeBenchError):
    """A package that this command needs is not installed."""


class Interrupted(EdgeBenchError):
    """Stopped by Ctrl-C or SIGTERM."""

    exit_code = 130
