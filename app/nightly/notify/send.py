"""Send the notifications of a night, and again those that could not be sent."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.app.nightly.notify.channels import CHANNELS, channels_of
from edge_bench.app.nightly.notify.message import message_of
from edge_bench.app.nightly.settings.records import NotifyTable
from edge_bench.bench.records.nights.files import write_night
from edge_bench.bench.records.nights.night import Delivery, Night

__all__ = ["send", "send_again", "unsent"]

#: Notifications of older nights than these are not sent again.
_NIGHTS_AGAIN = 14


def send(night: Night, table: NotifyTable, results: Path) -> Night:
    """Send the notification of a night through each channel that has not sent it, and return the night.

    The record is written after each channel, so that a night that is interrupted here sends nothing twice.
    """
    if not night.worth_reporting:
        return night
    message = message_of(night, results)
    for channel in channels_of(table):
        earlier = next(
            (each for each in night.deliveries if each.channel == channel), Delivery(channel=channel, sent=False)
        )
        if earlier.sent:
            continue
        reason, attempts = CHANNELS[channel](message, table)
        delivery = Delivery(channel=channel, sent=not reason, reason=reason, attempts=earlier.attempts + attempts)
        others = [each for each in night.deliveries if each.channel != channel]
        night = msgspec.structs.replace(night, deliveries=[*others, delivery])
        write_night(night, results)
    return night


def _delivery(night: Night, channel: str) -> Delivery:
    return next((each for each in night.deliveries if each.channel == channel), Delivery(channel=channel, sent=False))


def send_again(nights: Sequence[Night], table: NotifyTable, results: Path) -> list[Night]:
    """Send the notifications of the last nights that could not be sent; return these nights, sent or not."""
    return [send(night, table, results) for night in nights[-_NIGHTS_AGAIN:] if unsent(night, table)]


def unsent(night: Night, table: NotifyTable) -> list[Delivery]:
    """Return what could not be sent through the channels that are set up."""
    channels = channels_of(table)
    return [each for each in night.unsent if each.channel in channels]
