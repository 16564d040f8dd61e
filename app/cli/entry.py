"""The entry point of ``edge-bench``: every error becomes one or two lines and an exit code.

Only light modules are imported at the top. The rest is imported after interrupts are handled, so that Ctrl-C during a
slow import does not end in a traceback.
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

__all__ = ["main", "run_command"]

BAD_INPUT, INTERRUPTED = 2, 130
#: First part of the remedy; the second is how to continue.
_REMEDIES = {errno.ENOSPC: "free some disk space", errno.EMFILE: "allow more open files: ulimit -n 4096"}
#: Commands with --resume.
_RESUMABLE = ("run", "train", "fleet")
#: Name of stdout in errors.
_STANDARD_OUTPUT = "standard output"


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; ``arguments`` default to ``sys.argv``."""
    _standard_streams()
    words = sys.argv[1:] if arguments is None else arguments
    exit_codes: list[int] = []
    atexit.register(_exit_if_interrupted, exit_codes)  # registered first, so called last
    try:
        listen()  # SIGTERM and SIGHUP become interruptions, like Ctrl-C
        code = supervised(lambda: _run(words)) if needs_supervision(words) else _run(words)
    except KeyboardInterrupt:
        code = INTERRUPTED
    exit_codes.append(code)
    sys.exit(code)


def _exit_if_interrupted(exit_codes: list[int]) -> None:
    """Exit with 130 after an interruption.

    If it came inside an ``exec``, as dataclasses use it, ``python -m`` would otherwise end by SIGINT.
    """
    if exit_codes == [INTERRUPTED]:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(INTERRUPTED)


def _standard_streams() -> None:
    """Open closed standard streams on /dev/null, and replace characters that the locale lacks.

    Otherwise the next file that is opened would get descriptor 1 or 2, and library output would end up in it.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run(arguments: list[str]) -> int:
    """Run the command in this process and return its exit code."""
    try:
        code = run_command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, e.g. `| head`, has closed the pipe
        code = 0
        _discard_stdout()
    except OSError as cause:
        code = 1
        _discard_stdout()
        _print_error_line(f"error: {_STANDARD_OUTPUT}: {cause.strerror}")
        _print_error_line(f"  {_output_remedy(arguments)}")
    except KeyboardInterrupt:
        code = INTERRUPTED
        _print_error_line("error: interrupted")
    stop_listening()
    workers = sys.modules.get("edge_bench.app.training.distributed.worker_group")
    if workers is not None and workers.process_end.abrupt:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)
    return code


def _discard_stdout() -> None:
    """Redirect stdout to /dev/null, so that the flush at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_error_line(line: str) -> None:
    from edge_bench.app.render.escaping import visible

    with contextlib.suppress(OSError):
        print(visible(line), file=sys.stderr, flush=True)


def run_command(arguments: list[str]) -> int:
    """Run a command in this process, print its error if there is one, and return the exit code."""
    from edge_bench.app.cli import console

    try:
        from edge_bench.app.cli.main import app
        from edge_bench.app.cli.renamed_options import with_current_names

        arguments = with_current_names(arguments, os.environ, lambda line: console.note(f"warning: {line}"))
        code = app(args=arguments, prog_name="edge-bench", standalone_mode=False)
        if code == INTERRUPTED:  # typer returns this on an interruption, without a message
            raise KeyboardInterrupt
    except BrokenPipeError:
        raise
    except SystemExit as end:
        if not end.code:  # shell completion ends in this way
            return 0
        raise BrokenPipeError from None  # and so does a closed pipe, with another code
    except Exception as error:
        if console.settings.debug:
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # a command without arguments; typer does not export the class
            _print_error_line(error.format_message())  # type: ignore[attr-defined]
            return BAD_INPUT
        explained = _as_edge_bench_error(error, arguments)
        if asked_to_stop() and explained.exit_code != INTERRUPTED:
            # native code turned the interruption into another error
            raise KeyboardInterrupt from None
        with contextlib.suppress(OSError):
            console.print_error(explained)
        return explained.exit_code
    return code if isinstance(code, int) else 0


def _remedy(error: OSError, arguments: list[str]) -> str:
    if error.filename == _STANDARD_OUTPUT:
        return _output_remedy(arguments)
    if (first := _REMEDIES.get(error.errno or 0)) is None:
        return ""
    return f"{first}; then {'rerun with --resume' if _command(arguments) in _RESUMABLE else 'repeat the command'}"


def _output_remedy(arguments: list[str]) -> str:
    measured = "; with --once, the Run that was just saved is shown" if _command(arguments) == "run" else ""
    return f"repeat the command with its output to another file or disk{measured}"


def _command(arguments: list[str]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


def _as_bad_input(error: Any, context: Any) -> "EdgeBenchError":
    """Return an error about the command line; one about a missing argument or option has an example."""
    from edge_bench.bench.errors import BadInput

    missing = getattr(error, "param", None)
    if context is None or missing is None or type(error).__name__ != "MissingParameter":  # not exported either
        return BadInput(error.format_message(), f"see {context.command_path if context else 'edge-bench'} --help")
    name = f"option {missing.opts[0]}" if missing.param_type_name == "option" else missing.metavar or missing.name
    example = (context.command.epilog or "").split("\n")[0]
    return BadInput(f"missing {name}: {(missing.help or '').rstrip('.')}", f"for example: {example}")


def _as_edge_bench_error(error: Exception, arguments: list[str]) -> "EdgeBenchError":
    import typer

    from edge_bench.bench.errors import EdgeBenchError, Interrupted

    if isinstance(error, EdgeBenchError):
        return error
    if isinstance(error, typer.Abort):
        return Interrupted("interrupted")
    usage_error: Any = typer.BadParameter.__base__  # click's base class, which typer does not export
    if isinstance(error, usage_error):
        return _as_bad_input(error, getattr(error, "ctx", None))
    if isinstance(error, MemoryError):
        return EdgeBenchError("out of memory", "use fewer images, for example --limit 500, or a smaller batch size")
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return EdgeBenchError(f"{name}{error.strerror}", _remedy(error, arguments))
    return EdgeBenchError(
        f"unexpected {type(error).__name__}: {error}", "rerun with --debug for the traceback, and report it"
    )
