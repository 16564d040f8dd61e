"""Write RESULTS/comment.md as a comment on the pull request, or update the one of an earlier commit.

Environment: RESULTS, COMMENT (true or false), NAME (of the gate), TOKEN, and what GitHub sets: GITHUB_API_URL,
GITHUB_REPOSITORY, GITHUB_EVENT_PATH. A comment that is refused is a warning: the gate decides, and the table is in the
summary of the job.
"""

import http.client
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

#: Largest comment that GitHub accepts, in characters.
_LONGEST = 65_536
_PER_PAGE = 100
_ATTEMPTS, _TIMEOUT = 3, 30


def request(method: str, path: str, content: dict[str, str] | None = None) -> Any:
    """Return the answer of GitHub's API. Server errors and lost connections are tried again."""
    for attempt in range(_ATTEMPTS):
        asked = urllib.request.Request(
            f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={
                "Authorization": f"Bearer {os.environ['TOKEN']}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(asked, timeout=_TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as cause:
            if cause.code < http.client.INTERNAL_SERVER_ERROR or attempt == _ATTEMPTS - 1:
                raise
        except (urllib.error.URLError, http.client.HTTPException):
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


def earlier(number: int, marker: str) -> int | None:
    """Return the id of the comment that begins with the marker; None if there is none."""
    page = 1
    while True:
        found = request("GET", f"/issues/{number}/comments?per_page={_PER_PAGE}&page={page}")
        for comment in found:
            if comment["body"].startswith(marker):
                return int(comment["id"])
        if len(found) < _PER_PAGE:
            return None
        page += 1


def write(number: int, marker: str, text: str) -> None:
    """Update the earlier comment, or add one."""
    content = {"body": f"{marker}\n{text}"[:_LONGEST]}
    if (known := earlier(number, marker)) is not None:
        try:
            request("PATCH", f"/issues/comments/{known}", content)
        except urllib.error.HTTPError as cause:
            if cause.code not in (http.client.FORBIDDEN, http.client.NOT_FOUND):
                raise
        else:
            return
    request("POST", f"/issues/{number}/comments", content)


def main() -> None:
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text())
    number = event.get("pull_request", {}).get("number")
    if os.environ["COMMENT"] != "true" or number is None:
        print("no comment: not a pull request, or comment is not true")
        return
    name = os.environ["NAME"].replace("--", "- -")  # a comment in HTML ends with -->
    try:
        write(number, f"<!-- edge-bench gate: {name} -->", (Path(os.environ["RESULTS"]) / "comment.md").read_text())
    except urllib.error.HTTPError as cause:
        denied = cause.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN, http.client.NOT_FOUND)
        remedy = "give the job the permission pull-requests: write. Pull requests from forks never have it. "
        print(f"::warning::no comment ({cause}): {remedy if denied else ''}The table is in the summary of this job")
    except (urllib.error.URLError, http.client.HTTPException) as cause:
        print(f"::warning::no comment ({cause}): the table is in the summary of this job")


if __name__ == "__main__":
    main()
