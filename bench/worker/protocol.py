"""All messages that a worker takes and sends."""

from edge_bench.bench.worker.graphs.messages import (
    DescribeGraph,
    GraphDescribed,
    GraphPrepared,
    PrepareGraph,
    Record,
    Recorded,
    Sample,
    Sampled,
)
from edge_bench.bench.worker.graphs.serving_messages import (
    GraphInferred,
    GraphOpened,
    GraphRefused,
    InferGraph,
    OpenGraph,
)
from edge_bench.bench.worker.messages import (
    Describe,
    Described,
    Finish,
    Finished,
    Infer,
    Inferred,
    NotFinite,
    Open,
    Opened,
    OpenProbe,
    Predict,
    Predicted,
    Prepare,
    Prepared,
    ProbeOpened,
    Problem,
    Ready,
    Refused,
    Time,
    Timed,
)
from edge_bench.bench.worker.profiling.messages import Profiled, ProfileModel

__all__ = ["Reply", "Request"]

Request = (
    Prepare
    | Describe
    | Open
    | OpenProbe
    | Predict
    | Time
    | Infer
    | Finish
    | DescribeGraph
    | PrepareGraph
    | Record
    | Sample
    | OpenGraph
    | InferGraph
    | ProfileModel
)
Reply = (
    Ready
    | Prepared
    | Described
    | Opened
    | ProbeOpened
    | Predicted
    | Timed
    | Inferred
    | Refused
    | NotFinite
    | Finished
    | Problem
    | GraphDescribed
    | GraphPrepared
    | Recorded
    | Sampled
    | GraphOpened
    | GraphInferred
    | GraphRefused
    | Profiled
)
