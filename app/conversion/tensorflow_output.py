"""Suppress TensorFlow's output, which would hide results on stdout and errors on stderr. Shorten its messages."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import IO

__all__ = ["native_output_to", "why_not_converted"]

_LONGEST = 200
_MISSING = re.compile(r"'(tf\.\w+)' op is neither a custom op nor a flex op")
_SELECT = re.compile(r"^(?:Flex|TF Select) ops: (.+)$", re.MULTILINE)
_SHOWN = 5


@contextlib.contextmanager
def native_output_to(log: IO[bytes]) -> Iterator[None]:
    """Redirect stdout and stderr of this process, native code included, to ``log``. Not thread-safe."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(stream, os.dup(stream)) for stream in (1, 2)]
    try:
        for stream, _ in saved:
            os.dup2(log.fileno(), stream)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, duplicate in saved:
            os.dup2(duplicate, stream)
            os.close(duplicate)


def why_not_converted(message: str) -> str:
    """Return the missing TFLite operators if the message names them, otherwise the first line of the message."""
    missing = list(dict.fromkeys(_MISSING.findall(message)))
    if not missing and (select := _SELECT.search(message)):
        missing = [f"tf.{name.strip()}" for name in select.group(1).split(",")]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        return f"TFLite has no operator for {', '.join(missing[:_SHOWN])}{more}"
    return next((line.strip() for line in message.splitlines() if line.strip()), "")[:_LONGEST]
