"""The version of edge-bench and the source revision it was built from."""

import os
import subprocess
from functools import cache
from pathlib import Path

__version__ = "0.2.0"


@cache
def revision() -> str:
    """Return the Git commit of this code: EDGE_BENCH_REVISION (set in images), else the checkout's, else ``unknown``.

    The commit of a checkout with uncommitted changes ends in ``-dirty``, because its results cannot be reproduced from
    the commit alone.
    """
    if stated := os.environ.get("EDGE_BENCH_REVISION"):
        return stated
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "unknown"
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()
