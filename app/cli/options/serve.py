"""Options of ``serve`` and ``dashboard``."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.completion import RUNTIMES, VARIANTS, one_of
from edge_bench.app.cli.options.declare import Section, argument, option

Served = Annotated[
    Path,
    argument("BUNDLE|MODEL", "BUNDLE", help="A bundle, or a .tflite, .keras or .onnx file, or a SavedModel folder."),
]
ServedVariant = Annotated[
    str | None,
    option(
        "--variant",
        env="SERVE_VARIANT",
        metavar="NAME",
        autocompletion=one_of(*VARIANTS),
        help="Variant of the bundle. [default: keras if TensorFlow is installed, otherwise dynamic]",
    ),
]
ServedRuntime = Annotated[
    str | None,
    option(
        "--runtime",
        env="SERVE_RUNTIME",
        metavar="NAME",
        autocompletion=one_of(*RUNTIMES),
        help="tensorflow, litert, tflite-runtime, onnxruntime, openvino or ncnn. "
        "[default: the first installed one for the variant]",
    ),
]
ModelNameServed = Annotated[
    str | None,
    option(
        "--name", env="SERVE_NAME", metavar="NAME", help="Name of the model for clients. [default: the model's name]"
    ),
]
Host = Annotated[
    str, option("--host", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 for all addresses of this machine.")
]
Port = Annotated[int, option("--port", metavar="N", min=0, max=65535, help="Port to listen on; 0 for any free port.")]
DashboardPort = Annotated[
    int, option("--port", metavar="N", min=0, max=65535, help="Port to listen on; 0 for any free port.")
]
SilentAfter = Annotated[
    float,
    option(
        "--silent-after",
        metavar="HOURS",
        min=0.1,
        max=8760,
        help="A device whose last Run is older counts as silent.",
    ),
]

# -- model
ServedThreads = Annotated[
    int | None,
    option(
        "--threads",
        env="SERVE_THREADS",
        section=Section.MODEL,
        metavar="N",
        min=1,
        help="Threads of the model. [default: all cores for tensorflow, otherwise 1]",
    ),
]
ServedBatch = Annotated[
    int | None,
    option(
        "--batch-size",
        env="SERVE_BATCH_SIZE",
        section=Section.MODEL,
        metavar="N",
        min=1,
        help="Maximum images or examples of a request in one invocation. [default: 32 for tensorflow, otherwise 1]",
    ),
]
ServedTask = Annotated[
    str | None,
    option(
        "--task",
        env="SERVE_TASK",
        section=Section.MODEL,
        metavar="TASK",
        autocompletion=one_of("classify", "tensor"),
        help="classify: images in, labels and scores out; tensor: the model's own inputs and outputs. "
        "[default: classify for a classifier with one input, otherwise tensor]",
    ),
]
ServedSignature = Annotated[
    str | None,
    option(
        "--signature",
        env="SERVE_SIGNATURE",
        section=Section.MODEL,
        metavar="NAME",
        help="Named function of the file. It is served as --task tensor.",
    ),
]
ServedShapes = Annotated[
    list[str] | None,
    option(
        "--shape",
        env="SERVE_SHAPE",
        section=Section.MODEL,
        metavar="INPUT=SHAPE",
        help="Shape of an input with open axes, for example tokens=1x128. Repeatable. The model is served as --task "
        "tensor.",
    ),
]

# -- security
Token = Annotated[
    str | None,
    option(
        "--token",
        section=Section.SECURITY,
        metavar="TEXT",
        help="Token that clients have to send (Authorization: Bearer …). Other users can read a command line: prefer "
        "EDGE_BENCH_TOKEN or --token-file.",
    ),
]
TokenFile = Annotated[
    Path | None,
    option("--token-file", section=Section.SECURITY, metavar="FILE", help="File that contains only the token."),
]
Certificate = Annotated[
    Path | None,
    option("--certificate", section=Section.SECURITY, metavar="FILE", help="Certificate chain (PEM) for TLS."),
]
CertificateKey = Annotated[
    Path | None,
    option("--key", section=Section.SECURITY, metavar="FILE", help="Private key (PEM) of the certificate."),
]

# -- limits
Queue = Annotated[
    int,
    option(
        "--queue",
        section=Section.LIMITS,
        metavar="N",
        min=0,
        help="Requests that may wait for the model; others get status 503.",
    ),
]
MaxBatch = Annotated[
    int,
    option(
        "--max-batch", section=Section.LIMITS, metavar="N", min=1, help="Maximum images or examples in one request."
    ),
]
MaxBody = Annotated[
    str,
    option(
        "--max-body",
        section=Section.LIMITS,
        metavar="SIZE",
        help="Maximum size of a request body, also after decompression: 64M.",
    ),
]
HeaderTimeout = Annotated[
    float,
    option(
        "--header-timeout",
        section=Section.LIMITS,
        metavar="SECONDS",
        min=0.1,
        help="Time within which a header has to arrive.",
    ),
]
BodyTimeout = Annotated[
    float,
    option(
        "--body-timeout",
        section=Section.LIMITS,
        metavar="SECONDS",
        min=0.1,
        help="Time within which a body has to arrive.",
    ),
]
InferenceTimeout = Annotated[
    float,
    option(
        "--timeout",
        env="SERVE_TIMEOUT",
        section=Section.LIMITS,
        metavar="SECONDS",
        min=0.1,
        help="Time that the model may take for a request before its worker is restarted.",
    ),
]
ShutdownTimeout = Annotated[
    int,
    option(
        "--shutdown-timeout",
        section=Section.LIMITS,
        metavar="SECONDS",
        min=0,
        help="Time that running requests get when the server is stopped.",
    ),
]
