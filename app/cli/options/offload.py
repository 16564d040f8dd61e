"""Options of ``offload``: server, payloads, links, power."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import argument, list_option, option

BundleArgument = Annotated[Path, argument("BUNDLE", "BUNDLE", help="The bundle that the server serves, too.")]
ServerUrl = Annotated[
    str,
    option("--server", help="Where `edge-bench serve` runs: http://192.168.1.10:8000."),
]
Token = Annotated[
    str | None,
    option("--token", help="The server's token. Others on this machine can read a command line: prefer --token-file."),
]
TokenFile = Annotated[
    Path | None, option("--token-file", help="A file that contains only the server's token, as for `serve`.")
]
RemoteModel = Annotated[
    str | None,
    option("--model", env="REMOTE_MODEL", help="Its name there.  [default: the bundle's model]"),
]
LocalVariant = Annotated[
    str | None,
    list_option("--variant", help="What runs here.  [default: dynamic, the light model]"),
]
LocalRuntime = Annotated[
    str | None,
    list_option("--runtime", help="What executes it here.  [default: litert, or what is there]"),
]
LocalThreads = Annotated[str | None, list_option("--threads", help="Threads here.  [default: 1]")]
Payloads = Annotated[
    str, list_option("--payload", help="What of an image is sent: raw,png,jpeg. Models with inputs by name: raw only.")
]
Quality = Annotated[int, option("--quality", min=1, max=95, help="Of the JPEGs.")]
InFlight = Annotated[
    str,
    list_option("--in-flight", help="Images on their way at once: 1 gives latencies, more gives throughput."),
]
Links = Annotated[
    list[str] | None,
    option(
        "--link",
        help="Puts a link before the server: ethernet, wifi, lte, 5g, 3g, or rtt=20ms,up=10Mbit,down=40Mbit,"
        "jitter=5ms,loss=0.1%. May be said several times.",
    ),
]
Sweep = Annotated[
    bool,
    option("--sweep", help="Measures a grid of round trips and bandwidths besides."),
]
PowerText = Annotated[
    str | None,
    list_option(
        "--power",
        help="What this device draws: idle=2.7W,compute=5.8W,transmit=3.5W, or pi4.  [default: a meter, else nothing]",
    ),
]
TimedImages = Annotated[int, option("--limit", min=1, help="Images or examples per pass, drawn evenly over classes.")]
AccuracyImages = Annotated[
    int,
    option(
        "--accuracy-images",
        min=1,
        help="Images that show what a payload costs in accuracy, or examples whose outputs are compared; including the "
        "timed ones.",
    ),
]
RequestTimeout = Annotated[float, option("--timeout", min=0.1, help="Seconds to wait for an answer.")]
