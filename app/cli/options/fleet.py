"""Options of the ``fleet`` commands: engines, image, limits, clean-up."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.cli.options.declare import argument, option

Bundle = Annotated[Path, argument("BUNDLE", "BUNDLE", help="The bundle that all of them measure.")]
Engines = Annotated[
    list[str] | None,
    option(
        "--engine",
        "-e",
        help="ssh://user@host[:port][/socket], tcp://host:2376, unix:///socket, or a Docker context's name; once for "
        "each.",
    ),
]
FleetFile = Annotated[
    Path | None,
    option("--fleet", help="A TOML file that names engines; see docs/fleet.md."),
]
SshConfig = Annotated[
    Path | None,
    option("--ssh-config", help="ssh's configuration.  [default: ~/.ssh/config]"),
]
Tls = Annotated[
    Path | None,
    option("--tls", help="A folder with ca.pem, cert.pem and key.pem, for tcp://."),
]
Image = Annotated[
    str,
    option(
        "--image", env="FLEET_IMAGE", help="The edge image: one of the engine here, or a file that `docker save` wrote."
    ),
]
LocalEngine = Annotated[
    str | None,
    option(
        "--local-engine", help="The engine that has the image, as for --engine.  [default: the docker command's own]"
    ),
]
Keep = Annotated[bool, option("--keep", help="Leave containers and volumes where they are.")]
RemoveImage = Annotated[bool, option("--remove-image", help="Remove the image afterwards, too.")]
Resume = Annotated[
    bool,
    option("--resume", env="FLEET_RESUME", help="Do only what an earlier command has not done."),
]
ApiTimeout = Annotated[
    float,
    option("--api-timeout", min=1, help="Seconds that an engine may take for an answer."),
]
ReconnectTimeout = Annotated[
    float,
    option("--reconnect-timeout", min=0, help="Seconds that an engine lost half-way may take to come back."),
]
MinMemory = Annotated[
    str,
    option("--min-memory", help="Memory that a machine has to have: 256M, 1G."),
]
MinDisk = Annotated[
    str,
    option("--min-disk", help="Disk that has to be free beside image and bundle: 100M, 1G."),
]

# -- in a swarm
Swarm = Annotated[
    bool,
    option(
        "--swarm",
        help="A global job on every node of the swarm that the first engine manages; the others only get the image.",
    ),
]
StackFile = Annotated[
    Path | None,
    option("--stack-file", help="Write the deployment to this file, too."),
]
Collector = Annotated[str, option("--collector", help="HOST:PORT of the collector.")]
Node = Annotated[str, option("--node", help="The swarm's id of this node.")]
TokenFile = Annotated[Path, option("--token-file", help="The file with the job's token.")]
Port = Annotated[int, option("--port", env="COLLECTOR_PORT", min=0, max=65535, help="Port to listen on.")]
RunOptions = Annotated[list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options of `run`.")]
