"""Send the notifications of a night, and again those that could not be sent."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.app.nightly.notify.channels import CHANNELS, channels_of
from edge_bench.app.nightly.notify.message import Message, message_of
from edge_bench.app.nightly.settings.records import NotifyTable
from edge_bench.bench.records.nights.files import write_night
from edge_bench.bench.records.nights.night import Delivery, Night

__all__ = ["NIGHTS_AGAIN", "send", "send_again", "send_once", "unsent"]

#: Notifications of older nights than these are not sent again.
NIGHTS_AGAIN = 14


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


def send_again(nights: Sequence[Night], table: NotifyTable, results: Path) -> list[Night]:
    """Send the notifications of the last nights that could not be sent; return these nights, sent or not."""
    return [send(night, table, results) for night in nights[-NIGHTS_AGAIN:] if unsent(night, table)]


def unsent(night: Night, table: NotifyTable) -> list[Delivery]:
    """Return what could not be sent through the channels that are set up, or was not tried before an interruption."""
    tried = {each.channel for each in night.deliveries}
    left = [each for each in night.unsent if each.channel in channels_of(table)]
    if night.was_cut_off:
        left += [Delivery(channel=each, sent=False) for each in channels_of(table) if each not in tried]
    return left


def send_once(message: Message, table: NotifyTable) -> list[str]:
    """Send a message that is of no night, so that no record keeps it. Return why channels failed."""
    failed = [(channel, CHANNELS[channel](message, table)[0]) for channel in channels_of(table)]
    return [f"{channel}: {reason}" for channel, reason in failed if reason]
