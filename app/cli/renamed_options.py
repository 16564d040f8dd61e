"""Options and environment variables that were renamed: the old spelling works until release 0.2, with a warning."""

from collections.abc import Callable, MutableMapping, Sequence

__all__ = ["RENAMED", "with_current_names"]

#: Old flag → new flag.
RENAMED = {
    "--answer-within": "--api-timeout",
    "--desk": "--local-engine",
    "--grace": "--shutdown-timeout",
    "--patience": "--reconnect-timeout",
    "--picture": "--figure",
    "--worker": "--worker-index",
}


def with_current_names(
    arguments: Sequence[str], environment: MutableMapping[str, str], warn: Callable[[str], None]
) -> list[str]:
    """Return the arguments with current flags, and rename variables in ``environment``; ``warn`` gets a line for each.

    Arguments after ``--`` belong to another command line and stay as they are.
    """
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    current = [_renamed(argument, warn) for argument in arguments[:end]] + list(arguments[end:])
    for old, new in RENAMED.items():
        old_variable, new_variable = _variable(old), _variable(new)
        if (value := environment.pop(old_variable, None)) is not None:
            warn(f"{old_variable} was renamed to {new_variable}; the old name works until release 0.2")
            environment[new_variable] = environment.get(new_variable) or value  # typer ignores an empty variable
    return current


def _renamed(argument: str, warn: Callable[[str], None]) -> str:
    flag, equals, value = argument.partition("=")
    if flag not in RENAMED:
        return argument
    warn(f"{flag} was renamed to {RENAMED[flag]}; the old name works until release 0.2")
    return f"{RENAMED[flag]}{equals}{value}"


def _variable(flag: str) -> str:
    return "EDGE_BENCH_" + flag.removeprefix("--").upper().replace("-", "_")
