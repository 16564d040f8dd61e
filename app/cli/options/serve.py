"""The options of `serve`."""

from pathlib import Path
from typing import Annotated

import typer

Served = Annotated[
    Path,
    typer.Argument(
        metavar="BUNDLE|MODEL",
        envvar="EDGE_BENCH_BUNDLE",
        help="A bundle, or a model file (.tflite, .keras, .onnx, a SavedModel folder).",
    ),
]
ServedVariant = Annotated[
    str | None,
    typer.Option(
        "--variant",
        envvar="EDGE_BENCH_SERVE_VARIANT",
        help="Of a bundle.  [default: keras where TensorFlow is installed, else dynamic]",
    ),
]
ServedRuntime = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        envvar="EDGE_BENCH_SERVE_RUNTIME",
        help="tensorflow, litert, tflite-runtime or onnxruntime.  [default: the first installed one for the variant]",
    ),
]
ServedThreads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        envvar="EDGE_BENCH_SERVE_THREADS",
        help="Of the model.  [default: all cores for tensorflow, 1 for the others]",
    ),
]
ServedBatch = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        min=1,
        envvar="EDGE_BENCH_SERVE_BATCH_SIZE",
        help="Images an invocation, of a request that has so many.  [default: 32 for tensorflow, 1 for the others]",
    ),
]
ModelNameServed = Annotated[
    str | None,
    typer.Option(
        "--name", envvar="EDGE_BENCH_SERVE_NAME", help="What clients call the model.  [default: its own name]"
    ),
]
Host = Annotated[
    str, typer.Option(envvar="EDGE_BENCH_HOST", help="Address to listen on; 0.0.0.0 is all of this machine's.")
]
Port = Annotated[
    int, typer.Option(min=0, max=65535, envvar="EDGE_BENCH_PORT", help="Port to listen on; 0 is any free one.")
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="EDGE_BENCH_TOKEN",
        help="Whoever asks has to send it (Authorization: Bearer …). On a command line others on this machine can read "
        "it: rather the variable, or --token-file.",
    ),
]
TokenFile = Annotated[
    Path | None, typer.Option(envvar="EDGE_BENCH_TOKEN_FILE", help="A file that holds nothing but the token.")
]
Certificate = Annotated[
    Path | None, typer.Option(envvar="EDGE_BENCH_CERTIFICATE", help="For TLS: a certificate chain, PEM.")
]
CertificateKey = Annotated[
    Path | None, typer.Option("--key", envvar="EDGE_BENCH_KEY", help="For TLS: the certificate's private key, PEM.")
]
Queue = Annotated[
    int,
    typer.Option(min=0, envvar="EDGE_BENCH_QUEUE", help="Requests that may wait for the model; more are told 503."),
]
MaxBatch = Annotated[int, typer.Option(min=1, envvar="EDGE_BENCH_MAX_BATCH", help="Images that one request may have.")]
MaxBody = Annotated[
    str, typer.Option(envvar="EDGE_BENCH_MAX_BODY", help="Size of a request's body, also when unpacked: 64M.")
]
HeaderTimeout = Annotated[
    float,
    typer.Option(min=0.1, envvar="EDGE_BENCH_HEADER_TIMEOUT", help="Seconds that a connection has to send a header."),
]
BodyTimeout = Annotated[
    float, typer.Option(min=0.1, envvar="EDGE_BENCH_BODY_TIMEOUT", help="Seconds that a body may take to arrive.")
]
InferenceTimeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0.1,
        envvar="EDGE_BENCH_SERVE_TIMEOUT",
        help="Seconds that the model may take for a request before its worker is started again.",
    ),
]
Grace = Annotated[
    int,
    typer.Option(
        min=0, envvar="EDGE_BENCH_GRACE", help="Seconds that requests in flight get when the server is ended."
    ),
]
