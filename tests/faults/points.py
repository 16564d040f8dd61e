"""Commands that get a signal at a fixed point: ``python -m tests.faults.points POINT SIGNAL COMMAND …``.

A function that the command calls at this point is replaced by one that sends the signal. SIGKILL takes the whole
process group, as a power cut would. Other signals go to the first process of the group, which has to react.
"""

import functools
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["POINTS"]

Send = Callable[[], None]
#: What the replacement of a function does: call it with its arguments, and send the signal if this is the point.
Replacement = Callable[..., Any]


def sender(number: int) -> Send:
    """Return a function that sends the signal and waits for its effect."""

    def send() -> None:
        if number == signal.SIGKILL:
            os.killpg(0, number)
        os.kill(os.getpgrp(), number)
        for _ in range(6000):
            time.sleep(0.01)
        raise AssertionError("the signal had no effect for a minute")

    return send


def replace(place: str, replacement: Replacement) -> None:
    """Replace ``module:name`` or ``module:class.name`` of edge-bench by ``replacement(original, …)``."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(
        f"edge_bench.{module}" if module.partition(".")[0] in ("app", "bench") else module
    )
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    original = getattr(owner, name)

    @functools.wraps(original)
    def replaced(*arguments: Any, **options: Any) -> Any:
        return replacement(original, *arguments, **options)

    setattr(owner, name, replaced)


def before(place: str) -> Callable[[Send], None]:
    """Return a point just before a function is called for the first time."""

    def install(send: Send) -> None:
        def call(original: Any, *arguments: Any, **options: Any) -> Any:
            send()
            return original(*arguments, **options)

        replace(place, call)

    return install


def after_the_first(kind: str) -> Callable[[Send], None]:
    """Return a point when the first entry of this kind is in the journal."""

    def install(send: Send) -> None:
        def append(original: Any, journal: Any, entry: Any) -> None:
            original(journal, entry)
            if type(entry).__name__ == kind:
                send()

        replace("bench.records.journal.journal:Journal.append", append)

    return install


def in_a_trial_of_the_second_process(send: Send) -> None:
    """While the second worker process makes its first trial."""
    timed: list[Any] = []

    def request(original: Any, channel: Any, message: Any, timeout: float | None = None) -> None:
        original(channel, message, timeout)
        if type(message).__name__ == "Time":
            timed.append(channel)
            if channel is not timed[0]:
                send()

    replace("bench.worker.channel:Channel.send", request)


def at_the_rename_of_the_run_file(send: Send) -> None:
    """When the Run is written to a temporary file, which gets its name next."""

    def link(original: Any, source: Any, target: Any) -> None:
        if Path(target).suffix == ".json":
            send()
        original(source, target)

    replace("os:link", link)


def in_the_first_epoch(send: Send) -> None:
    """After three batches of the first epoch."""

    def seed_dropout(original: Any, model: Any, *arguments: Any) -> None:
        import keras

        class AfterThreeBatches(keras.callbacks.Callback):  # type: ignore[misc]
            def on_train_batch_end(self, batch: int, logs: object = None) -> None:
                if batch == 2:
                    send()

        model.fit = functools.partial(model.fit, callbacks=[AfterThreeBatches()])
        original(model, *arguments)

    replace("app.training.fit.epochs:seed_dropout", seed_dropout)


def between_two_epochs(send: Send) -> None:
    """When the checkpoint of the first epoch is written."""

    def save_checkpoint(original: Any, *arguments: Any) -> None:
        original(*arguments)
        send()

    replace("app.training.fit.epochs:save_checkpoint", save_checkpoint)


def in_the_export(send: Send) -> None:
    """When two .tflite variants are written."""
    written: list[str] = []

    def write_tflite(original: Any, folder: Path, name: str, content: bytes) -> Any:
        variant = original(folder, name, content)
        written.append(name)
        if len(written) == 2:
            send()
        return variant

    replace("app.training.export:write_tflite", write_tflite)


POINTS: dict[str, Callable[[Send], None]] = {
    "after-the-first-trial": after_the_first("TrialMade"),
    "after-the-first-process-began": after_the_first("ProcessStarted"),
    "after-the-first-outputs": after_the_first("OutputsRecorded"),
    "in-a-trial-of-the-second-process": in_a_trial_of_the_second_process,
    "at-the-rename-of-the-run-file": at_the_rename_of_the_run_file,
    "before-the-journal-is-removed": before("bench.records.journal.journal:Journal.remove"),
    "in-the-first-epoch": in_the_first_epoch,
    "between-two-epochs": between_two_epochs,
    "in-the-export": in_the_export,
    "before-runs-are-read": before("bench.measure.stored.reading:read_runs"),
    "before-a-page-is-drawn": before("app.report.write:report_page"),
    "before-a-variant-is-written": before("app.conversion.export_model:write_tflite"),
    "before-a-model-is-loaded": before("app.conversion.inspect:try_load"),
}


if __name__ == "__main__":
    POINTS[sys.argv[1]](sender(signal.Signals[sys.argv[2]]))
    from edge_bench.app.cli.entry import main

    main(sys.argv[3:])
