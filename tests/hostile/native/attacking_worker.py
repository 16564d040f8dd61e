"""A worker that loads a hostile library: ``attacking_worker LIBRARY RUNTIME READ_FD WRITE_FD PARENT LIMIT``.

The library is loaded as a delegate of the runtime, or without one (``-``) as it is. The attempts' results are printed
and sent to the parent.
"""

import contextlib
import ctypes
import importlib
import os
import sys


def main(library: str, runtime: str, write_end: int) -> None:
    if runtime == "-":
        ctypes.CDLL(library).attack()
    else:
        interpreter = importlib.import_module(f"{runtime}.interpreter")
        with contextlib.suppress(ValueError):  # the library returns no delegate
            interpreter.load_delegate(library)
    text = ctypes.create_string_buffer(1 << 16)
    size = ctypes.CDLL(library).attack_report(text, len(text))
    report = text.raw[:size]
    # a frame: 4 bytes of length, then MessagePack: {"type": "Report", "text": …}
    payload = b"\x82\xa4type\xa6Report\xa4text\xda" + len(report).to_bytes(2, "big") + report
    os.write(write_end, len(payload).to_bytes(4, "big") + payload)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[4]))
