"""Values of options that no parser expects end in a refusal, never in the parser's own exception."""

import contextlib
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bench.app.cli import parsing
from edge_bench.app.training.distributed.cluster import stated_cluster
from edge_bench.bench.errors import BadInput
from edge_bench.bench.offload.client.http import server_from
from edge_bench.bench.offload.network.link_profiles import link_from
from edge_bench.bench.records.power import power_from

_WORKER = '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": %s}}'
READERS: dict[str, Callable[[str], object]] = {
    "counts": lambda text: parsing.counts(text, "--x"),
    "share": lambda text: parsing.share(text, "--x"),
    "size": lambda text: parsing.size(text, "--x"),
    "link": link_from,
    "round trip": lambda text: link_from(f"rtt={text}ms"),
    "rate": lambda text: link_from(f"rate={text}Mbit"),
    "power": lambda text: power_from(f"idle={text}W,compute={text}mW,transmit={text}"),
    "server": server_from,
    "port": lambda text: server_from(f"http://host:{text}"),
    "workers": lambda text: stated_cluster(text, None, {}),
    "worker": lambda text: stated_cluster(f"a:1,b:{text}", 0, {}),
    "TF_CONFIG": lambda text: stated_cluster(None, None, {"TF_CONFIG": text}),
    "index": lambda text: stated_cluster(None, None, {"TF_CONFIG": _WORKER % text}),
}
TEXTS = [
    "9" * 5000, "9" * 400, "9" * 400 + "G", "1e999", "nan", "inf", "-1", "", "٣", "0x10", "\0", "[" * 100_000,
    "1" + ".1" * 999,
    "-" * 999, "1_0", "１", "²", "{" * 9000, '"' * 9, "null", "[[]]", '{"cluster": 3}', '{"cluster": {"worker": [3]}}',
    json.dumps({"cluster": {"worker": ["a:1", "b:2"]}, "task": []}), "\ud800", "1e400", "Infinity",
]  # fmt: skip


@pytest.mark.parametrize("reader", list(READERS))
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_parser_of_options_fails_in_another_way(reader: str, text: str) -> None:
    with contextlib.suppress(BadInput):
        READERS[reader](text)


@pytest.mark.slow
@pytest.mark.parametrize("reader", list(READERS))
@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=30), st.text('0123456789.,:eE+-[]{}"=%kmKMG ', max_size=30)))
def test_no_text_makes_a_parser_of_options_fail_in_another_way(reader: str, text: str) -> None:
    with contextlib.suppress(BadInput):
        READERS[reader](text)
