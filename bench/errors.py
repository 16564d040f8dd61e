"""Errors of this project. Each has a problem and a remedy.

EdgeBenchError              exit code 1
├── BadInput                2: an argument or a file that cannot be used
│   ├── BundleError         a bundle that is missing, unfinished, altered or of another version
│   ├── DatasetError        data that is missing, truncated or altered
│   │   └── DatasetUnavailable   data that is not on this machine and cannot be downloaded
│   └── ResultsError        a Run that cannot be read, or Runs that cannot be compared
│       └── DiskFull        1: too little space on a disk, which is a failure and no wrong input
├── GateNotMet              3: a regression, an accuracy drop
├── NotTrusted              4: measurements that are not reliable (--strict)
├── MissingDependency       1: a package that this command needs is not installed
└── Interrupted             130: Ctrl-C or SIGTERM; the measurements so far are kept
"""

__all__ = [
    "BadInput",
    "BundleError",
    "DatasetError",
    "DatasetUnavailable",
    "DiskFull",
    "EdgeBenchError",
    "GateNotMet",
    "Interrupted",
    "MissingDependency",
    "NotTrusted",
    "ResultsError",
]


class EdgeBenchError(Exception):
    """Base class of all errors: a problem, and a ``remedy`` that says how to fix it."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        if remedy:
            self.add_note(remedy)  # shown below the problem in tracebacks, for callers of the Python API


class BadInput(EdgeBenchError):
    """An argument or a file that cannot be used."""

    exit_code = 2


class BundleError(BadInput):
    """A bundle that is missing, unfinished, altered or of another version."""


class DatasetError(BadInput):
    """Data that is missing, truncated or altered."""


class DatasetUnavailable(DatasetError):
    """Data that is not on this machine and cannot be downloaded."""


class ResultsError(BadInput):
    """A Run that cannot be read, Runs that cannot be compared, or a folder that cannot be written."""


class DiskFull(ResultsError):
    """Too little space on a disk."""

    exit_code = 1


class GateNotMet(EdgeBenchError):
    """A comparison that does not meet a condition set by the user."""

    exit_code = 3


class NotTrusted(EdgeBenchError):
    """Measurements that are not reliable, if the user asked for --strict."""

    exit_code = 4


class MissingDependency(EdgeBenchError):
    """A package that this command needs is not installed."""


class Interrupted(EdgeBenchError):
    """A stop by Ctrl-C or SIGTERM."""

    exit_code = 130
