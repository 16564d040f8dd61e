"""Progress and messages of long work for Python callers."""

import logging

from edge_bench.bench.progress import Progress, Silent

__all__ = ["progress_view"]

_LOGGER = logging.getLogger("edge_bench")


class _Logged(Silent):
    """No progress. Messages go to the logger ``edge_bench``, which shows them on stderr unless it is configured."""

    def say(self, message: str) -> None:
        """Log the message."""
        _LOGGER.warning("%s", message)


def progress_view(*, shown: bool) -> Progress:
    """Return progress on stderr, or only logged messages."""
    if not shown:
        return _Logged()
    from edge_bench.app.render.progress.lines import progress_on_stderr

    return progress_on_stderr(quiet=False)
