"""Where `edge-bench` begins and ends: every error becomes one or two lines and an exit code.

What is imported here is light, and the rest is imported where an interruption is already a line and not a traceback.
"""

import atexit
import contextlib
import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_bench.app.cli.supervisor import needs_supervision, supervised
from edge_bench.bench.interrupts import asked_to_stop, listen, stop_listening

if TYPE_CHECKING:
    from edge_bench.bench.errors import EdgeBenchError

__all__ = ["main"]

INTERRUPTED = 130
_REMEDIES = {
    errno.ENOSPC: "make room; train and run go on with --resume",
    errno.EMFILE: "allow more open files: ulimit -n 4096",
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point: every error becomes one or two lines and an exit code."""
    _standard_streams()
    words = sys.argv[1:] if arguments is None else arguments
    ending: list[int] = []
    atexit.register(_end_as_told, ending)  # the first to be registered is the last to be called
    try:
        listen()  # a stopped container or a closed terminal is an interruption, as Ctrl-C is
        code = supervised(lambda: _run(words)) if needs_supervision(words) else _run(words)
    except KeyboardInterrupt:
        code = INTERRUPTED
    ending.append(code)
    sys.exit(code)


def _end_as_told(ending: list[int]) -> None:
    """Keeps the exit code of an interruption.

    Where that came inside an `exec`, as dataclasses use it, `python -m` would end by SIGINT whatever it is told.
    """
    if ending == [INTERRUPTED]:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(INTERRUPTED)


def _standard_streams() -> None:
    """A closed one would be opened again as somebody's file, and a locale that lacks a sign is no reason to end."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run(arguments: list[str]) -> int:
    """The command, in this process; its exit code."""
    try:
        code = _called(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read enough
        code = 0
        _no_more_output()
    except OSError as cause:
        code = 1
        _no_more_output()
        _say(f"error: standard output cannot be written: {cause.strerror}")
    except KeyboardInterrupt:
        code = INTERRUPTED
        _say("error: interrupted")
    stop_listening()
    workers = sys.modules.get("edge_bench.app.training.distributed.worker_group")
    if workers is not None and workers.process_end.abrupt:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)
    return code


def _no_more_output() -> None:
    """What Python would still flush at exit goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _called(arguments: list[str]) -> int:
    from edge_bench.app.cli import console

    try:
        from edge_bench.app.cli.main import app

        code = app(args=arguments, prog_name="edge-bench", standalone_mode=False)
        if code == INTERRUPTED:  # typer's own answer to an interruption, of which it says nothing
            raise KeyboardInterrupt
    except BrokenPipeError:
        raise
    except SystemExit:  # so click puts a closed pipe
        raise BrokenPipeError from None
    except Exception as error:
        if console.settings.debug:
            raise
        explained = _explained(error)
        if asked_to_stop() and explained.exit_code != INTERRUPTED:
            # native code has turned the interruption into an error of its own
            raise KeyboardInterrupt from None
        with contextlib.suppress(OSError):
            console.print_error(explained)
        return explained.exit_code
    return code if isinstance(code, int) else 0


def _explained(error: Exception) -> "EdgeBenchError":
    import typer

    from edge_bench.bench.errors import BadInput, EdgeBenchError, Interrupted

    if isinstance(error, EdgeBenchError):
        return error
    if isinstance(error, typer.Abort):
        return Interrupted("interrupted")
    usage_error: Any = typer.BadParameter.__base__  # click's own, by way of the one that typer exports
    if isinstance(error, usage_error):
        context = getattr(error, "ctx", None)
        return BadInput(error.format_message(), f"see `{context.command_path if context else 'edge-bench'} --help`")
    if isinstance(error, MemoryError):
        return EdgeBenchError("there is not enough memory for that", "use less at once, a smaller --limit say")
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return EdgeBenchError(f"{name}{error.strerror}", _REMEDIES.get(error.errno or 0, ""))
    return EdgeBenchError(f"unexpected {type(error).__name__}: {error}", "run it again with --debug and report it")
