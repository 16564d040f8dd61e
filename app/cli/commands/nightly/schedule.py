"""The commands ``schedule install``, ``schedule show`` and ``schedule remove``."""

from edge_bench.app.cli.commands.nightly.nightly import DEFAULT_FILE
from edge_bench.app.cli.options.fleet import At, Compose, ScheduleName, SettingsFile, System

__all__ = ["DEFAULT_NAME", "install", "remove", "show"]

DEFAULT_NAME, _DEFAULT_TIME = "edge-bench-nightly", "02:30"


def install(
    file: SettingsFile = DEFAULT_FILE,
    at: At = _DEFAULT_TIME,
    system: System = False,
    compose: Compose = None,
    name: ScheduleName = DEFAULT_NAME,
) -> None:
    """Begin `edge-bench nightly` every day: write a systemd timer and start it, or write a Compose service."""
    import platform

    from edge_bench.app.cli import console
    from edge_bench.app.nightly.schedule.compose import compose_service, write_compose
    from edge_bench.app.nightly.schedule.daily import parse_time
    from edge_bench.app.nightly.schedule.systemd import Timer
    from edge_bench.app.nightly.settings.reading import read_settings

    # errors now rather than at night; a timer of the system runs as the owner of the file
    time, settings = parse_time(at, "--at"), read_settings(file, for_owner=system and compose is None)
    if compose is not None:
        write_compose(compose, compose_service(settings.path, time, platform.node()))
        console.note(f"written: {compose}")
        console.note(f"next: docker compose --file {compose} up --detach")
        return
    for line in Timer(name, system).install(settings.path, time):
        console.note(line)


def show(system: System = False, name: ScheduleName = DEFAULT_NAME) -> None:
    """Show the units of a timer, and when it runs next."""
    from edge_bench.app.cli import console
    from edge_bench.app.nightly.schedule.systemd import Timer

    console.print_text(Timer(name, system).show())


def remove(system: System = False, name: ScheduleName = DEFAULT_NAME) -> None:
    """Stop a timer and remove its units. Results and settings are kept."""
    from edge_bench.app.cli import console
    from edge_bench.app.nightly.schedule.systemd import Timer

    for line in Timer(name, system).remove():
        console.note(line)
