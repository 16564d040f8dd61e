"""Options of ``serve``."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import argument, option

Served = Annotated[
    Path,
    argument("BUNDLE|MODEL", "BUNDLE", help="A bundle, or a model file (.tflite, .keras, .onnx, a SavedModel folder)."),
]
ServedVariant = Annotated[
    str | None,
    option(
        "--variant",
        env="SERVE_VARIANT",
        help="Of a bundle.  [default: keras where TensorFlow is installed, else dynamic]",
    ),
]
ServedRuntime = Annotated[
    str | None,
    option(
        "--runtime",
        env="SERVE_RUNTIME",
        help="tensorflow, litert, tflite-runtime or onnxruntime.  [default: the first installed one for the variant]",
    ),
]
ServedThreads = Annotated[
    int | None,
    option(
        "--threads",
        env="SERVE_THREADS",
        min=1,
        help="Of the model.  [default: all cores for tensorflow, 1 for the others]",
    ),
]
ServedBatch = Annotated[
    int | None,
    option(
        "--batch-size",
        env="SERVE_BATCH_SIZE",
        min=1,
        help="Most images or examples of a request that one invocation takes.  "
        "[default: 32 for tensorflow, 1 for the others]",
    ),
]
ServedTask = Annotated[
    str | None,
    option(
        "--task",
        env="SERVE_TASK",
        help="classify: pixels in, labels and scores out; tensor: the model's own inputs and outputs.  "
        "[default: classify for a classifier with one input, else tensor]",
    ),
]
ServedSignature = Annotated[
    str | None,
    option("--signature", env="SERVE_SIGNATURE", help="Named function of the file; it is served as its own tensors."),
]
ServedShapes = Annotated[
    list[str] | None,
    option(
        "--shape",
        env="SERVE_SHAPE",
        help="Fixes the open axes of an input: tokens=1x128. May be repeated; the model is served as its own tensors.",
    ),
]
ModelNameServed = Annotated[
    str | None,
    option("--name", env="SERVE_NAME", help="What clients call the model.  [default: its own name]"),
]
Host = Annotated[str, option("--host", help="Address to listen on; 0.0.0.0 is all of this machine's.")]
Port = Annotated[int, option("--port", min=0, max=65535, help="Port to listen on; 0 is any free one.")]
Token = Annotated[
    str | None,
    option(
        "--token",
        help="Whoever asks has to send it (Authorization: Bearer …). On a command line others on this machine can read "
        "it: rather the variable, or --token-file.",
    ),
]
TokenFile = Annotated[Path | None, option("--token-file", help="A file that holds nothing but the token.")]
Certificate = Annotated[Path | None, option("--certificate", help="For TLS: a certificate chain, PEM.")]
CertificateKey = Annotated[Path | None, option("--key", help="For TLS: the certificate's private key, PEM.")]
Queue = Annotated[
    int,
    option("--queue", min=0, help="Requests that may wait for the model; more are told 503."),
]
MaxBatch = Annotated[int, option("--max-batch", min=1, help="Images or examples that one request may have.")]
MaxBody = Annotated[str, option("--max-body", help="Size of a request's body, also when unpacked: 64M.")]
HeaderTimeout = Annotated[
    float,
    option("--header-timeout", min=0.1, help="Seconds that a connection has to send a header."),
]
BodyTimeout = Annotated[float, option("--body-timeout", min=0.1, help="Seconds that a body may take to arrive.")]
InferenceTimeout = Annotated[
    float,
    option(
        "--timeout",
        env="SERVE_TIMEOUT",
        min=0.1,
        help="Seconds that the model may take for a request before its worker is started again.",
    ),
]
ShutdownTimeout = Annotated[
    int,
    option("--shutdown-timeout", min=0, help="Seconds that requests in flight get when the server is ended."),
]
