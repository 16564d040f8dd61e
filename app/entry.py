"""Where `edge-bench` begins and ends: every error becomes one or two lines and an exit code."""

import os
import signal
import sys
from typing import Any

import typer

from app.cli import app
from bench.errors import BadInput, EdgeBenchError, Interrupted

__all__ = ["main"]

#: click's own error classes, by way of the one that typer exports.
_UsageError: Any = typer.BadParameter.__base__


def main(arguments: list[str] | None = None) -> None:
    """Entry point: every error becomes one or two lines and an exit code."""
    from app import console

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped container is an interruption
    try:
        code = app(args=arguments, prog_name="edge-bench", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has read enough; what Python would still flush at exit goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if console.settings.debug:
            raise
        explained = _explained(error)
        console.print_error(explained)
        code = explained.exit_code
    except KeyboardInterrupt:
        console.print_error(Interrupted("interrupted"))
        code = Interrupted.exit_code
    code = code if isinstance(code, int) else 0
    if console.settings.abrupt:
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _explained(error: Exception) -> EdgeBenchError:
    if isinstance(error, EdgeBenchError):
        return error
    if isinstance(error, typer.Abort):
        return Interrupted("interrupted")
    if isinstance(error, _UsageError):
        context = getattr(error, "ctx", None)
        return BadInput(error.format_message(), f"see `{context.command_path if context else 'edge-bench'} --help`")
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return EdgeBenchError(f"{name}{error.strerror}", "")
    return EdgeBenchError(f"unexpected {type(error).__name__}: {error}", "run it again with --debug and report it")
