"""The options of offload: where the server is, how images get there, over what link, at what price."""

from pathlib import Path
from typing import Annotated

import typer

BundleArgument = Annotated[
    Path, typer.Argument(metavar="BUNDLE", envvar="EDGE_BENCH_BUNDLE", help="The bundle that the server serves, too.")
]
ServerUrl = Annotated[
    str,
    typer.Option(
        "--server",
        envvar="EDGE_BENCH_SERVER",
        help="Where `edge-bench serve` runs: http://192.168.1.10:8000.",
    ),
]
Token = Annotated[
    str | None, typer.Option("--token", envvar="EDGE_BENCH_TOKEN", help="The server's token.", show_envvar=True)
]
RemoteModel = Annotated[
    str | None,
    typer.Option("--model", envvar="EDGE_BENCH_REMOTE_MODEL", help="Its name there.  [default: the bundle's model]"),
]
LocalVariant = Annotated[
    str | None,
    typer.Option("--variant", envvar="EDGE_BENCH_VARIANT", help="What runs here.  [default: dynamic, the light model]"),
]
LocalRuntime = Annotated[
    str | None,
    typer.Option(
        "--runtime", envvar="EDGE_BENCH_RUNTIME", help="What executes it here.  [default: litert, or what is there]"
    ),
]
LocalThreads = Annotated[
    str | None, typer.Option("--threads", envvar="EDGE_BENCH_THREADS", help="Threads here.  [default: 1]")
]
Payloads = Annotated[
    str, typer.Option("--payload", envvar="EDGE_BENCH_PAYLOAD", help="What of an image is sent: raw,png,jpeg")
]
Quality = Annotated[int, typer.Option("--quality", min=1, max=95, envvar="EDGE_BENCH_QUALITY", help="Of the JPEGs.")]
InFlight = Annotated[
    str,
    typer.Option(
        "--in-flight",
        envvar="EDGE_BENCH_IN_FLIGHT",
        help="Images on their way at once: 1 gives latencies, more gives throughput.",
    ),
]
Links = Annotated[
    list[str] | None,
    typer.Option(
        "--link",
        envvar="EDGE_BENCH_LINK",
        help="Puts a link before the server: ethernet, wifi, lte, 5g, 3g, or rtt=20ms,up=10Mbit,down=40Mbit,"
        "jitter=5ms,loss=0.1%. May be said several times.",
    ),
]
Sweep = Annotated[
    bool,
    typer.Option("--sweep", envvar="EDGE_BENCH_SWEEP", help="Measures a grid of round trips and bandwidths besides."),
]
PowerText = Annotated[
    str | None,
    typer.Option(
        "--power",
        envvar="EDGE_BENCH_POWER",
        help="What this device draws: idle=2.7W,compute=5.8W,transmit=3.5W, or pi4.  [default: a meter, else nothing]",
    ),
]
TimedImages = Annotated[
    int, typer.Option("--limit", min=1, envvar="EDGE_BENCH_LIMIT", help="Images a pass, drawn evenly over classes.")
]
AccuracyImages = Annotated[
    int,
    typer.Option(
        "--accuracy-images",
        min=1,
        envvar="EDGE_BENCH_ACCURACY_IMAGES",
        help="Images that tell what a payload costs in accuracy, the timed ones among them.",
    ),
]
RequestTimeout = Annotated[
    float, typer.Option("--timeout", min=0.1, envvar="EDGE_BENCH_TIMEOUT", help="Seconds to wait for an answer.")
]
