"""Numbers in messages, so that a test does not depend on a message's wording."""

import re

__all__ = ["numbers_in"]


def numbers_in(text: str) -> list[float]:
    """Return the numbers in a text, in order: ``1.50 of 2,000`` gives ``[1.5, 2000]``."""
    return [float(number.replace(",", "")) for number in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)]
