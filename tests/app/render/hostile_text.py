"""Names as an attacker would choose them, and what to look for in output."""

import csv
import io
import re

__all__ = ["HOSTILE", "formula_cells"]

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u200b\ufeff\U000e0041",
    "line\nrun trusted: yes\r\terror: none",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "' onmouseover='x' \" onmouseover=\"x",
    "javascript:alert(1) --></style></title></svg>]]>",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1;=2+2\t=3",
    "-2+3",
    "a | b \\| c `code` **bold** _it_ ~~x~~ [link](https://evil.example) ![i](x) <b>b</b> &lt;",
    "# heading",
    "```",
    "1. list",
    "---",
    "$x^2$ ${x} \\input{x} %d %s {0}",
    "[/red][bold]rich[/bold]",
    "ni\udcf1o",
)


#: A name may have 65,536 characters, of which each may be written as six.
csv.field_size_limit(1 << 20)


def formula_cells(text: str) -> list[str]:
    """Return the cells of a CSV that a spreadsheet would compute."""
    return [
        cell
        for row in csv.reader(io.StringIO(text))
        for cell in row
        if re.match(r"\s*[=+\-@＝＋－＠]", cell) and not re.fullmatch(r"[+-]?[\d.,]+([eE][+-]?\d+)?|-?inf", cell)
    ]
