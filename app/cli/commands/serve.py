"""The command ``serve``."""

from edge_bench.app.cli.options.data import Preprocess
from edge_bench.app.cli.options.outputs import Threshold
from edge_bench.app.cli.options.run import MemoryLimit, Stateful
from edge_bench.app.cli.options.serve import (
    BodyTimeout,
    Certificate,
    CertificateKey,
    HeaderTimeout,
    Host,
    InferenceTimeout,
    MaxBatch,
    MaxBody,
    ModelNameServed,
    Port,
    Queue,
    Served,
    ServedBatch,
    ServedRuntime,
    ServedShapes,
    ServedSignature,
    ServedTask,
    ServedThreads,
    ServedVariant,
    ShutdownTimeout,
    Token,
    TokenFile,
)
from edge_bench.app.cli.options.shared import DEFAULT_BUNDLE

__all__ = ["serve"]

#: Largest request body; a worker's message may have 256 MiB.
MOST_BYTES = 255 << 20


def serve(
    model: Served = DEFAULT_BUNDLE,
    variant: ServedVariant = None,
    runtime: ServedRuntime = None,
    threads: ServedThreads = None,
    batch_size: ServedBatch = None,
    preprocess: Preprocess = None,
    threshold: Threshold = None,
    task: ServedTask = None,
    signature: ServedSignature = None,
    shape: ServedShapes = None,
    stateful: Stateful = False,
    name: ModelNameServed = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token: Token = None,
    token_file: TokenFile = None,
    certificate: Certificate = None,
    key: CertificateKey = None,
    queue: Queue = 64,
    max_batch: MaxBatch = 256,
    max_body: MaxBody = "64M",
    header_timeout: HeaderTimeout = 10,
    body_timeout: BodyTimeout = 60,
    timeout: InferenceTimeout = 60,
    shutdown_timeout: ShutdownTimeout = 8,
    memory_limit: MemoryLimit = None,
) -> None:
    """Serve a model over HTTP in the Open Inference Protocol (KServe V2 REST).

    The server runs until Ctrl-C or SIGTERM.
    """
    from edge_bench.app.cli import console, parsing
    from edge_bench.app.serving import require_server
    from edge_bench.bench.measure.plan import Selection

    require_server()
    from edge_bench.app.serving.auth import token_from
    from edge_bench.app.serving.server import GraphOptions, Limits, ListenAddress, run_server, serving_request

    place = ListenAddress(host, port, token_from(token, token_file), certificate, key)
    limits = Limits(
        queue=queue, batch=max_batch,
        body_bytes=parsing.size(max_body, "--max-body", least=1 << 10, most=MOST_BYTES),
        body_seconds=body_timeout, header_seconds=header_timeout,
        inference_seconds=timeout, start_seconds=300, end_seconds=shutdown_timeout,
        memory=parsing.memory(memory_limit),
    )  # fmt: skip
    selection = Selection(
        variants=[variant] if variant else [],
        runtimes=[runtime] if runtime else [],
        threads=[threads] if threads else None,
        batch_sizes=[batch_size] if batch_size else None,
    )
    progress = console.progress()
    request = serving_request(
        model,
        selection,
        progress,
        preprocess,
        parsing.finite(threshold, "--threshold"),
        graph=GraphOptions.from_options(task, signature, shape or []),
        stateful=stateful,
        memory_limit=limits.memory,
    )
    run_server(request, name, place, limits, progress)
