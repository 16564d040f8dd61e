"""The options of the fleet commands: which engines, which image, what to leave there."""

from pathlib import Path
from typing import Annotated

import typer

Bundle = Annotated[
    Path, typer.Argument(metavar="BUNDLE", envvar="EDGE_BENCH_BUNDLE", help="The bundle that all of them measure.")
]
Engines = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        "-e",
        envvar="EDGE_BENCH_ENGINE",
        help="ssh://user@host[:port][/socket], tcp://host:2376, unix:///socket, or a Docker context's name; once for "
        "each.",
    ),
]
FleetFile = Annotated[
    Path | None,
    typer.Option("--fleet", envvar="EDGE_BENCH_FLEET", help="A TOML file that names engines; see docs/fleet.md."),
]
SshConfig = Annotated[
    Path | None,
    typer.Option(envvar="EDGE_BENCH_SSH_CONFIG", help="ssh's configuration.  [default: ~/.ssh/config]"),
]
Tls = Annotated[
    Path | None,
    typer.Option(envvar="EDGE_BENCH_TLS", help="A folder with ca.pem, cert.pem and key.pem, for tcp://."),
]
Image = Annotated[
    str,
    typer.Option(
        "--image",
        envvar="EDGE_BENCH_FLEET_IMAGE",
        help="The edge image: one of the engine here, or a file that `docker save` wrote.",
    ),
]
LocalEngine = Annotated[
    str | None,
    typer.Option(
        envvar="EDGE_BENCH_DESK",
        help="The engine that has the image, as for --engine.  [default: the docker command's own]",
    ),
]
Keep = Annotated[
    bool, typer.Option("--keep", envvar="EDGE_BENCH_KEEP", help="Leave containers and volumes where they are.")
]
RemoveImage = Annotated[
    bool, typer.Option("--remove-image", envvar="EDGE_BENCH_REMOVE_IMAGE", help="Remove the image afterwards, too.")
]
Resume = Annotated[
    bool,
    typer.Option("--resume", envvar="EDGE_BENCH_FLEET_RESUME", help="Do only what an earlier command has not done."),
]
ApiTimeout = Annotated[
    float,
    typer.Option(min=1, envvar="EDGE_BENCH_ANSWER_WITHIN", help="Seconds that an engine may take for an answer."),
]
ReconnectTimeout = Annotated[
    float,
    typer.Option(
        min=0, envvar="EDGE_BENCH_PATIENCE", help="Seconds that an engine lost half-way may take to come back."
    ),
]
MinMemory = Annotated[
    str,
    typer.Option(envvar="EDGE_BENCH_MIN_MEMORY", help="Memory that a machine has to have: 256M, 1G."),
]
MinDisk = Annotated[
    str,
    typer.Option(envvar="EDGE_BENCH_MIN_DISK", help="Disk that has to be free beside image and bundle: 100M, 1G."),
]

# -- in a swarm
Swarm = Annotated[
    bool,
    typer.Option(
        "--swarm",
        envvar="EDGE_BENCH_SWARM",
        help="A global job on every node of the swarm that the first engine manages; the others only get the image.",
    ),
]
StackFile = Annotated[
    Path | None,
    typer.Option(envvar="EDGE_BENCH_STACK_FILE", help="Write the deployment to this file, too."),
]
Collector = Annotated[str, typer.Option(envvar="EDGE_BENCH_COLLECTOR", help="HOST:PORT of the collector.")]
Node = Annotated[str, typer.Option(envvar="EDGE_BENCH_NODE", help="The swarm's id of this node.")]
TokenFile = Annotated[Path, typer.Option(envvar="EDGE_BENCH_TOKEN_FILE", help="The file with the job's token.")]
Port = Annotated[int, typer.Option(min=0, max=65535, envvar="EDGE_BENCH_COLLECTOR_PORT", help="Port to listen on.")]
RunOptions = Annotated[list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options of `run`.")]
