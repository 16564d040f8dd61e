"""Options of ``nightly`` and ``schedule``."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import argument, option

__all__ = [
    "At",
    "Compose",
    "DailyAt",
    "DryRun",
    "NotifyAgain",
    "ScheduleName",
    "SettingsFile",
    "System",
]

SettingsFile = Annotated[
    Path,
    argument("FILE", "NIGHTLY_FILE", help="The settings, or their folder; see docs/nightly.md."),
]
DryRun = Annotated[
    bool,
    option("--dry-run", env="NIGHTLY_DRY_RUN", help="Check the settings, and show what would be measured and where."),
]
NotifyAgain = Annotated[
    bool,
    option("--notify-again", help="Only send the notifications that could not be sent. Every night does this, too."),
]
DailyAt = Annotated[
    str | None,
    option(
        "--daily-at",
        metavar="HH:MM",
        help="Do not end: begin a night every day at this local time, for containers. A missed one begins at once.",
    ),
]

At = Annotated[
    str,
    option("--at", env="SCHEDULE_AT", metavar="HH:MM", help="Local time of each night's beginning."),
]
System = Annotated[
    bool,
    option("--system", help="A timer of the system, not of the user. It runs without a login, and needs root."),
]
Compose = Annotated[
    Path | None,
    option("--compose", metavar="FILE", help="Write a service for Docker Compose to this file instead of a timer."),
]
ScheduleName = Annotated[
    str,
    option("--name", env="SCHEDULE_NAME", metavar="NAME", help="Name of the timer, if there are several schedules."),
]
