"""What the notifications of a week said."""

import json
from pathlib import Path

import msgspec

__all__ = ["DEAD", "NIGHTS", "SLOW", "Week", "week_told"]

#: A week, the night in which the engine "dying" dies, and that from which "slowing" is slower.
NIGHTS, DEAD, SLOW = 7, 4, 5


class Week(msgspec.Struct, frozen=True):
    """What a week's notifications said."""

    found: int | None  # night in which the slowdown was reported; None: not in this week
    named_since: int | None  # night since which the notification said that it is slower
    false_alarms: int  # reported changes of other engines, or before the slowdown
    death_named: bool  # whether a notification named the dead engine with its first silent night
    estimate: float | None  # the reported ratio of times


def week_told(told: Path) -> Week:
    """Return what the notifications in a folder said."""
    messages = [json.loads(path.read_text()) for path in told.glob("*.json")]
    true, wrong = [], 0
    for message in sorted(messages, key=lambda each: int(each["night"])):
        for change in message["changes"]:
            if change["engine"] == "slowing" and message["night"] >= SLOW:
                true.append((message["night"], change))
            else:
                wrong += 1
    named = any(
        engine["engine"] == "dying" and engine["since_night"] == DEAD
        for message in messages
        for engine in message["silent"]
    )
    first = true[0] if true else None
    return Week(
        first[0] if first else None, first[1]["since_night"] if first else None, wrong, named,
        first[1]["ratio"]["value"] if first else None,
    )  # fmt: skip
