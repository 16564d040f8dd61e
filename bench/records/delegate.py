"""Delegates: libraries that take nodes of a .tflite model from the runtime, such as Coral's libedgetpu."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt

__all__ = ["NO_DELEGATE", "DelegateLibrary", "DelegateSetting", "Delegation", "shown_delegate"]

#: The setting of a configuration that uses the runtime's own kernels only, also without XNNPACK.
NO_DELEGATE = "none"


class DelegateLibrary(msgspec.Struct, frozen=True, kw_only=True):
    """The file of a delegate, as it was before the first trial."""

    path: BoundedStr
    bytes: NonNegativeInt
    sha256: BoundedStr
    version: BoundedStr = ""  # from the file's name, such as 29.1 in libarmnnDelegate.so.29.1; empty if it has none


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """How many nodes of a model's main graph a delegate runs, counted after loading."""

    name: BoundedStr  # of the library's file; XNNPACK for the runtime's own
    nodes: NonNegativeInt  # nodes of the file that it replaced
    total_nodes: NonNegativeInt  # nodes of the file
    parts: NonNegativeInt  # groups of nodes, each of which it runs as one
    version: BoundedStr = ""  # reported by the library itself, such as libedgetpu


class DelegateSetting(NamedTuple):
    """The delegate of a configuration, and where its library is on this machine."""

    text: str = ""  # empty: the runtime's default; ``none``; or the name of the library's file and its options
    library: Path | None = None

    @property
    def name(self) -> str:
        """The name of the library's file, ``none``, or empty for the default."""
        return self.text.split(",")[0]

    @property
    def options(self) -> dict[str, str]:
        """The options of the library, in the order of the setting."""
        return dict(each.split("=", 1) for each in self.text.split(",")[1:])


def shown_delegate(text: str) -> str:
    """Return the delegate of a configuration as tables show it: ``default`` if it is the runtime's own choice."""
    return text or "default"
