"""URLs and host:port of users."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bench.bench.io.addresses import Address, address_from, host_and_port

MALFORMED = [
    "ssh://127.0.0.1:99999", "ssh://[::1", "ssh://::1]", "ssh://[::1]x", "ssh://[v1.x]", "ssh://[]", "ssh://[a]",
    "ssh://a:0", "ssh://a:-1", "ssh://a:", "ssh://a:b", "ssh://a:1:2", "ssh://a:٣", "ssh://a:1e3", "ssh://a: 22",
    "ssh://a b", "ssh://a\n", "ssh://a\0", "ssh://\x1b[2J", "ssh://a\\b", "ssh://-oProxyCommand=x", "ssh://a..b",
    "ssh://.a", "ssh://" + "a" * 64, "ssh://" + "a." * 200 + "a", "ssh://a/" + "b" * 5000, "ssh://ａ／ｂ", "ssh://%41",
    "//a", "a", "", ":", "://", "ssh://a\u202e", "ssh://a;b", "ssh://a|b", "ssh://$(x)", "ssh://`x`",
]  # fmt: skip


@pytest.mark.parametrize("url", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        address_from(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ssh://pi@PI4.local:2222/run/x.sock", Address("ssh", "pi4.local", 2222, "pi", None, "/run/x.sock", "")),
        ("http://[::1]:8000", Address("http", "::1", 8000, None, None, "", "")),
        ("http://[fe80::1%eth0]/", Address("http", "fe80::1%eth0", None, None, None, "/", "")),
        ("unix:///run/docker.sock", Address("unix", "", None, None, None, "/run/docker.sock", "")),
        ("https://u:p@my_host.example./a?b=c", Address("https", "my_host.example.", None, "u", "p", "/a", "b=c")),
        ("tcp://10.0.0.7:65535", Address("tcp", "10.0.0.7", 65535, None, None, "", "")),
        ("http://bücher.example", Address("http", "xn--bcher-kva.example", None, None, None, "", "")),
    ],
)
def test_urls_are_divided_into_their_parts(url: str, expected: Address) -> None:
    assert address_from(url) == expected


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.text("ssh:/@[]0123456789.-%ab", max_size=40).map("ssh://{}".format)))
def test_any_text_is_an_address_or_refused_with_a_reason(text: str) -> None:
    try:
        address = address_from(text)
    except ValueError:
        return
    assert address.host.isascii()
    assert not address.host.startswith("-")
    assert address.port is None or 0 < address.port < 65_536


@pytest.mark.parametrize(
    "text", ["a", "a:", ":1", "a:0", "a:65536", "a@b:1", "a:1/b", "a:1?x", "[::1]", "::1:1", "a b:1"]
)
def test_malformed_hosts_and_ports_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        host_and_port(text)


def test_hosts_and_ports_are_divided() -> None:
    assert host_and_port("pi.local:80") == ("pi.local", 80)
    assert host_and_port("[::1]:80") == ("::1", 80)
