"""The command that serves a model."""

from app import options as o
from app import serving_options as s
from app.cli_models import DEFAULT_BUNDLE
from app.data_options import Preprocess

__all__ = ["serve"]

#: A worker's message may have 256 MiB.
MOST_BYTES = 255 << 20


def serve(
    model: s.Served = DEFAULT_BUNDLE,
    variant: s.ServedVariant = None,
    runtime: s.ServedRuntime = None,
    threads: s.ServedThreads = None,
    batch_size: s.ServedBatch = None,
    preprocess: Preprocess = None,
    name: s.ModelNameServed = None,
    host: s.Host = "127.0.0.1",
    port: s.Port = 8000,
    token: s.Token = None,
    token_file: s.TokenFile = None,
    certificate: s.Certificate = None,
    key: s.CertificateKey = None,
    queue: s.Queue = 64,
    max_batch: s.MaxBatch = 256,
    max_body: s.MaxBody = "64M",
    header_timeout: s.HeaderTimeout = 10,
    body_timeout: s.BodyTimeout = 60,
    timeout: s.InferenceTimeout = 60,
    grace: s.Grace = 8,
    memory_limit: o.MemoryLimit = None,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Serve a model over the Open Inference Protocol (KServe V2 REST) until Ctrl-C or SIGTERM."""
    from app import arguments as a
    from app import console
    from app.serving import require_server
    from bench.plan import Selection

    require_server()
    from app.serving.access import token_from
    from app.serving.service import Limits, Place, question_about, serve_until_told

    place = Place(host, port, token_from(token, token_file), certificate, key)
    limits = Limits(
        queue=queue, batch=max_batch,
        body_bytes=a.size(max_body, "--max-body", least=1 << 10, most=MOST_BYTES),
        body_seconds=body_timeout, header_seconds=header_timeout,
        inference_seconds=timeout, start_seconds=300, end_seconds=grace,
        memory=a.memory(memory_limit),
    )  # fmt: skip
    selection = Selection(
        variants=[variant] if variant else [],
        runtimes=[runtime] if runtime else [],
        threads=[threads] if threads else None,
        batch_sizes=[batch_size] if batch_size else None,
    )
    progress = console.progress()
    serve_until_told(question_about(model, selection, preprocess, progress), name, place, limits, progress)
