"""What is measured: a variant of the model with all settings that make a configuration of its own."""

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, PositiveInt
from edge_bench.bench.wording import counted


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """A variant on a runtime with threads, batch size and delegate. Each has its own worker processes."""

    variant: BoundedStr
    runtime: BoundedStr
    threads: PositiveInt
    batch_size: PositiveInt
    delegate: BoundedStr = ""  # empty: the runtime's default; ``none``; or a library's file name and its options

    def __str__(self) -> str:
        text = f"{self.variant} on {self.runtime}, {counted(self.threads, 'thread')}, batch {self.batch_size}"
        return f"{text}, delegate {self.delegate}" if self.delegate else text
