"""Options that say who trains together."""

from typing import Annotated

import typer

__all__ = ["Wait", "Worker", "Workers"]

Workers = Annotated[
    str | None,
    typer.Option(
        "--workers",
        envvar="EDGE_BENCH_WORKERS",
        help="Train together: host:port,host:port of all workers, the same everywhere; or 2: two processes here.  "
        "[default: TF_CONFIG, or this one alone]",
    ),
]
Worker = Annotated[
    int | None,
    typer.Option(
        "--worker",
        min=0,
        envvar="EDGE_BENCH_WORKER",
        help="Which of --workers this one is; 0 writes the bundle, the others take what is not stated from it.",
    ),
]
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, envvar="EDGE_BENCH_WAIT", help="Seconds to wait for the other workers."),
]
