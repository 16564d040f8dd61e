"""Options of the ``fleet`` commands: engines, image, limits, clean-up; of ``nightly`` and ``schedule``."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.completion import docker_contexts
from edge_bench.app.cli.options.declare import Section, argument, option

Bundle = Annotated[Path, argument("BUNDLE", "BUNDLE", help="The bundle to measure on all engines.")]
OptionalBundle = Annotated[
    Path | None,
    argument(
        "BUNDLE", "BUNDLE", show_default=False, help="The bundle to measure on all engines; not with --calibrate."
    ),
]
Calibrate = Annotated[
    bool,
    option(
        "--calibrate",
        env="FLEET_CALIBRATE",
        help="Calibrate latency predictions on every engine instead of measuring a bundle, and write a device file for "
        "each; see `edge-bench calibrate`.",
    ),
]
Force = Annotated[
    bool,
    option(
        "--force",
        env="FLEET_FORCE",
        help="With --calibrate: also on machines that are not reliable. Their device files are marked as unreliable.",
    ),
]
Engines = Annotated[
    list[str] | None,
    option(
        "--engine",
        "-e",
        metavar="ADDRESS",
        autocompletion=docker_contexts,
        help="Docker engine: ssh://user@host[:port][/socket], tcp://host:2376, unix:///socket, or the name of a Docker "
        "context. Repeatable.",
    ),
]
FleetFile = Annotated[
    Path | None,
    option("--fleet", metavar="FILE", help="TOML file with engines; see docs/fleet.md."),
]
Resume = Annotated[
    bool,
    option("--resume", env="FLEET_RESUME", help="Continue an earlier command: only engines without a Run are used."),
]

# -- engines and images
Image = Annotated[
    str,
    option(
        "--image",
        env="FLEET_IMAGE",
        section=Section.ENGINES,
        metavar="NAME|FILE",
        help="The edge image: a name in the local engine, or a file written by `docker save`.",
    ),
]
LocalEngine = Annotated[
    str | None,
    option(
        "--local-engine",
        section=Section.ENGINES,
        metavar="ADDRESS",
        help="Engine that has the image; an address as for --engine. [default: that of the docker command]",
    ),
]
SshConfig = Annotated[
    Path | None,
    option("--ssh-config", section=Section.ENGINES, metavar="FILE", help="ssh configuration. [default: ~/.ssh/config]"),
]
Tls = Annotated[
    Path | None,
    option(
        "--tls",
        section=Section.ENGINES,
        metavar="FOLDER",
        help="Folder with ca.pem, cert.pem and key.pem for tcp:// addresses.",
    ),
]
Keep = Annotated[bool, option("--keep", section=Section.ENGINES, help="Do not remove containers and volumes.")]
RemoveImage = Annotated[bool, option("--remove-image", section=Section.ENGINES, help="Remove the image at the end.")]
Swarm = Annotated[
    bool,
    option(
        "--swarm",
        section=Section.ENGINES,
        help="Run as a global job on every node of the swarm that the first engine manages. Other engines only get "
        "the image.",
    ),
]
StackFile = Annotated[
    Path | None,
    option("--stack-file", section=Section.ENGINES, metavar="FILE", help="Also write the deployment to this file."),
]

# -- limits
ApiTimeout = Annotated[
    float,
    option(
        "--api-timeout", section=Section.LIMITS, metavar="SECONDS", min=1, help="Maximum time for a reply of an engine."
    ),
]
ReconnectTimeout = Annotated[
    float,
    option(
        "--reconnect-timeout",
        section=Section.LIMITS,
        metavar="SECONDS",
        min=0,
        help="Maximum time without a connection to an engine.",
    ),
]
MinMemory = Annotated[
    str,
    option("--min-memory", section=Section.LIMITS, metavar="SIZE", help="Memory that a machine must have: 256M, 1G."),
]
MinDisk = Annotated[
    str,
    option(
        "--min-disk",
        section=Section.LIMITS,
        metavar="SIZE",
        help="Free disk space that a machine must have, besides image and bundle: 100M, 1G.",
    ),
]

# -- in a swarm
Collector = Annotated[str, option("--collector", metavar="HOST:PORT", help="Address of the collector.")]
Node = Annotated[str, option("--node", metavar="ID", help="The swarm's id of this node.")]
TokenFile = Annotated[Path, option("--token-file", metavar="FILE", help="File with the job's token.")]
Port = Annotated[int, option("--port", env="COLLECTOR_PORT", metavar="N", min=0, max=65535, help="Port to listen on.")]
RunOptions = Annotated[list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options of `run`.")]

# -- nightly and schedule
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
ResumeNight = Annotated[
    bool,
    option(
        "--resume",
        env="NIGHTLY_RESUME",
        help="Only continue or close a night that was interrupted. Begin none.",
    ),
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
