"""Options of ``offload``: server, payloads, links, power."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.completion import RUNTIMES, VARIANTS, each_of, one_of
from edge_bench.app.cli.options.declare import Section, argument, list_option, option

BundleArgument = Annotated[Path, argument("BUNDLE", "BUNDLE", help="The bundle; the server has to serve the same one.")]
ServerUrl = Annotated[
    str,
    option("--server", metavar="URL", help="Address of `edge-bench serve`: http://192.168.1.10:8000."),
]
EdgeDevice = Annotated[
    str | None,
    option(
        "--edge-device",
        metavar="NAME|FILE",
        help="Also predict the time on this device instead of on this machine, for a first answer without the device: "
        "zero2w, pi3b+, pi4, pi5, or a device file. It is PREDICTED, not measured.",
    ),
]
Token = Annotated[
    str | None,
    option("--token", metavar="TEXT", show_envvar=True, help="Token of the server. Other users can read a command "
           "line: prefer --token-file."),
]  # fmt: skip
TokenFile = Annotated[
    Path | None,
    option("--token-file", metavar="FILE", help="File that contains only the token of the server, as for `serve`."),
]
RemoteModel = Annotated[
    str | None,
    option(
        "--model",
        env="REMOTE_MODEL",
        metavar="NAME",
        help="Name of the model on the server. [default: the bundle's model]",
    ),
]
LocalVariant = Annotated[
    str | None,
    list_option(
        "--variant", autocompletion=each_of(*VARIANTS), help="Variants to run on this machine. [default: dynamic]"
    ),
]
LocalRuntime = Annotated[
    str | None,
    list_option(
        "--runtime",
        autocompletion=each_of(*RUNTIMES),
        help="Runtimes on this machine. [default: litert, or the installed one]",
    ),
]
TimedImages = Annotated[
    int,
    option("--limit", metavar="N", min=1, help="Images or examples per pass, drawn evenly over the classes."),
]
LocalThreads = Annotated[
    str | None,
    list_option("--threads", section=Section.MEASURING, help="Numbers of threads on this machine. [default: 1]"),
]
AccuracyImages = Annotated[
    int,
    option(
        "--accuracy-images",
        section=Section.MEASURING,
        metavar="N",
        min=1,
        help="Images for the accuracy of each payload, or examples whose outputs are compared, including the timed "
        "ones.",
    ),
]

# -- transfer
Payloads = Annotated[
    str,
    list_option(
        "--payload",
        section=Section.TRANSFER,
        autocompletion=each_of("raw", "png", "jpeg"),
        help="Form in which images are sent: raw,png,jpeg. Models with named inputs take raw only.",
    ),
]
Quality = Annotated[
    int, option("--quality", section=Section.TRANSFER, metavar="N", min=1, max=95, help="JPEG quality, 1 to 95.")
]
InFlight = Annotated[
    str,
    list_option(
        "--in-flight", section=Section.TRANSFER, help="Concurrent requests: 1 measures latency, more throughput."
    ),
]
Links = Annotated[
    list[str] | None,
    option(
        "--link",
        section=Section.TRANSFER,
        metavar="LINK",
        autocompletion=one_of("ethernet", "wifi", "lte", "5g", "3g"),
        help="Simulated link to the server: ethernet, wifi, lte, 5g, 3g, or "
        "rtt=20ms,up=10Mbit,down=40Mbit,jitter=5ms,loss=0.1%. Repeatable.",
    ),
]
Sweep = Annotated[
    bool,
    option("--sweep", section=Section.TRANSFER, help="Also measure a grid of round-trip times and bandwidths."),
]
PowerText = Annotated[
    str | None,
    list_option(
        "--power",
        section=Section.MEASURING,
        help="Power of this device: idle=2.7W,compute=5.8W,transmit=3.5W, or pi4; the file of a power sensor; none: no "
        "energy. [default: from a power meter, otherwise no energy is reported]",
    ),
]
RequestTimeout = Annotated[
    float,
    option("--timeout", section=Section.LIMITS, metavar="SECONDS", min=0.1, help="Maximum time to wait for a reply."),
]
