"""Tokens of the server, in files."""

from pathlib import Path

import pytest

from edge_bench.app.serving.auth import token_from
from edge_bench.bench.errors import BadInput


def test_a_token_file_contains_one_token_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for content in (b"secret", b"secret\n", b" secret\r\n"):
        file.write_bytes(content)
        assert token_from(None, file) == "secret"
    # a longer file would be cut, and a cut token refused by the server
    for content in (b"", b"\n", b"two\nlines", "sécret".encode(), b"\xff\xfe", b"\xef\xbb\xbfsecret", b"a" * 9000):
        file.write_bytes(content)
        with pytest.raises(BadInput, match="--token-file"):
            token_from(None, file)
    with pytest.raises(BadInput, match="--token-file"):
        token_from(None, tmp_path)
