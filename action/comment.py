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
#: What a server that does not answer as agreed causes: refusals, lost connections, timeouts, other content than JSON.
_UNANSWERED = (OSError, ValueError, http.client.HTTPException)


def request(method: str, path: str, content: dict[str, str] | None = None, attempts: int = _ATTEMPTS) -> Any:
    """Return the answer of GitHub's API. Server errors and lost connections are tried again."""
    for attempt in range(attempts):
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
        except _UNANSWERED as cause:
            if is_refusal(cause) or attempt == attempts - 1:
                raise
    raise AssertionError


def is_refusal(cause: Exception) -> bool:
    """Return whether GitHub answered, and would answer the same again."""
    return isinstance(cause, urllib.error.HTTPError) and cause.code < http.client.INTERNAL_SERVER_ERROR


def earlier(number: int, marker: str) -> list[int]:
    """Return the ids of the comments that begin with the marker."""
    ids, page = list[int](), 1
    while True:
        found = request("GET", f"/issues/{number}/comments?per_page={_PER_PAGE}&page={page}")
        ids += [int(comment["id"]) for comment in found if comment["body"].startswith(marker)]
        if len(found) < _PER_PAGE:
            return ids
        page += 1


def update(known: int, content: dict[str, str]) -> bool:
    """Update a comment; return whether the token may."""
    try:
        request("PATCH", f"/issues/comments/{known}", content)
    except urllib.error.HTTPError as cause:
        if cause.code not in (http.client.FORBIDDEN, http.client.NOT_FOUND):
            raise
        return False
    return True


def write(number: int, marker: str, text: str) -> None:
    """Update the earlier comment, or add one."""
    content = {"body": f"{marker}\n{text}"[:_LONGEST]}
    for attempt in range(_ATTEMPTS):
        # also before another attempt: the comment may have been added, and only the answer lost
        if any(update(known, content) for known in earlier(number, marker)):
            return
        try:
            request("POST", f"/issues/{number}/comments", content, attempts=1)
        except _UNANSWERED as cause:
            if is_refusal(cause) or attempt == _ATTEMPTS - 1:
                raise
        else:
            return


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
    except _UNANSWERED as cause:
        print(f"::warning::no comment ({cause}): the table is in the summary of this job")


if __name__ == "__main__":
    main()
