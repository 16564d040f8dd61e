"""The images on whose masks two configurations disagree most: image, both masks, and where they differ."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.app.render.units import percent
from edge_bench.app.report.image_source import png_address
from edge_bench.app.report.pictures.pair import MAX_SHOWN, Compared, Pair, class_name
from edge_bench.bench.records.outputs.masks import Segmentation, unpacked_mask
from edge_bench.bench.tasks.segmentation.agreement import mask_agreement
from edge_bench.bench.tasks.segmentation.class_maps import resized
from edge_bench.bench.wording import counted

__all__ = ["class_colour", "compare_masks", "show_masks"]

_SIDE = 208  # four beside each other fit on the page
#: Classes in the legend, those with the most pixels.
_MAX_LEGEND = 24
_NO_CLASS, _SAME, _DIFFERENT = (224, 224, 192), (233, 235, 240), (213, 94, 0)
Mask = npt.NDArray[np.uint16]


def compare_masks(pair: Pair) -> Compared:
    """Return the agreement of two segmentations' masks; raise ValueError if a record is damaged."""
    first, second = _segmentations(pair)
    shares, pixels = _shares(pair, first, second)
    total = len(pair.numbers)
    if not shares:
        return Compared("no image whose masks both store", -1)
    same = math.fsum(share * pixels[place] for place, share in shares.items()) / sum(pixels.values())
    ranked = sorted((place for place, share in shares.items() if share < 1), key=lambda place: (shares[place], place))
    text = f"{percent(same)} % of pixels have the same class, on {len(shares):,} of {counted(total, 'image')}"
    return Compared(text, 1 - same, tuple(ranked[:MAX_SHOWN]))


def show_masks(pair: Pair, compared: Compared) -> Html | None:
    """Return the worst images: the image if it is known, both masks, and the pixels of different classes."""
    if not compared.worst:
        return None
    first, second = _segmentations(pair)
    pixels, items = Counter[int](), list[Html]()
    for place in compared.worst:
        masks = [_mask(record, int(side[place])) for record, side in zip((first, second), pair.common, strict=True)]
        for mask in masks:
            numbers, counts = np.unique(mask, return_counts=True)
            pixels.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
        items.append(_item(pair, place, masks[0], masks[1], first.classes))
    return fragment(_legend(pair, pixels, first.classes), element("ul", *items, class_="pictures"))


def _segmentations(pair: Pair) -> tuple[Segmentation, Segmentation]:
    found = []
    for entry in (pair.first, pair.second):
        outputs = entry.result.outputs
        if not isinstance(outputs, Segmentation) or len(outputs.masks) != entry.run.images.indices.length:
            raise ValueError("the masks are of other images")
        found.append(outputs)
    return found[0], found[1]


def _shares(pair: Pair, first: Segmentation, second: Segmentation) -> tuple[dict[int, float], dict[int, int]]:
    """Return the share of equal pixels, and the pixels, of each common image whose masks both store, by its place."""
    shares, pixels = dict[int, float](), dict[int, int]()
    for place, (one, other) in enumerate(zip(*pair.common, strict=True)):
        ours, theirs = first.masks[one], second.masks[other]
        if ours is not None and theirs is not None:
            share = mask_agreement(first, second, (np.array([one]), np.array([other]))).same_share
            shares[place] = share or 0.0
            pixels[place] = max(ours.height, theirs.height) * max(ours.width, theirs.width)
    return shares, pixels


def _mask(record: Segmentation, position: int) -> Mask:
    """Return a mask reduced to the size of a picture."""
    stored = record.masks[position]
    if stored is None:
        raise ValueError("a mask that is not stored")
    factor = min(1.0, _SIDE / max(stored.height, stored.width))
    size = max(1, round(stored.height * factor)), max(1, round(stored.width * factor))
    return np.asarray(resized(unpacked_mask(stored), *size), np.uint16)


def _item(pair: Pair, place: int, first: Mask, second: Mask, classes: int) -> Html:
    height, width = (max(sides) for sides in zip(first.shape, second.shape, strict=True))
    ours, theirs = (resized(mask, height, width) for mask in (first, second))
    same = (ours == theirs) & (ours != classes)
    difference = np.where(same[:, :, None], np.array(_SAME, np.uint8), np.array(_DIFFERENT, np.uint8))
    name, images = pair.example_name(place), pair.section.images
    panels = []
    if images is not None:
        picture = images.picture(int(pair.numbers[place]), _SIDE)
        panels.append(_panel(picture.address, (picture.width, picture.height), name, "the image"))
    for label, mask in zip(pair.names, (first, second), strict=True):
        panels.append(_panel(png_address(_coloured(mask, classes), _SIDE), _shown(mask.shape), name, label))
    panels.append(_panel(png_address(difference, _SIDE), _shown((height, width)), name, "where they differ"))
    text = f"{name}: {percent(1 - float(same.mean()))} % of the picture's pixels differ"
    return element("li", element("p", text, class_="small"), element("div", *panels, class_="side"))


def _shown(shape: Sequence[int]) -> tuple[int, int]:
    """Return width and height at which a mask is shown; a small one is enlarged by a whole number."""
    factor = max(1, _SIDE // max(shape))
    return shape[1] * factor, shape[0] * factor


def _panel(address: str, size: tuple[int, int], name: str, label: str) -> Html:
    image = element("img", src=address, alt=f"{label}, {name}", width=str(size[0]), height=str(size[1]))
    return element("div", image, element("p", with_badges(label), class_="small"))


def _coloured(mask: Mask, classes: int) -> npt.NDArray[np.uint8]:
    """Return the colours of a mask, shape [height, width, 3]."""
    numbers, places = np.unique(mask, return_inverse=True)
    colours = [_NO_CLASS if number == classes else class_colour(number) for number in numbers.tolist()]
    found: npt.NDArray[np.uint8] = np.array(colours, np.uint8)[places.reshape(mask.shape)]
    return found


@lru_cache(maxsize=1024)
def class_colour(number: int) -> tuple[int, int, int]:
    """Return red, green and blue of a class: the colour map of PASCAL VOC, in which class 0 is black.

    Its bits are those of the number, the lowest of each three highest first (VOCdevkit, VOClabelcolormap).
    """
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
    return channels[0], channels[1], channels[2]


def _legend(pair: Pair, pixels: Counter[int], classes: int) -> Html:
    ranked = sorted(pixels, key=lambda number: (-pixels[number], number))
    entries = []
    for number in ranked[:_MAX_LEGEND]:
        red, green, blue = _NO_CLASS if number == classes else class_colour(number)
        name = "no class" if number == classes else class_name(pair.section, number)
        swatch = element(
            "span", "", class_="swatch", style=f"background:#{red:02x}{green:02x}{blue:02x}", aria_hidden="true"
        )
        entries.append(element("li", swatch, f" {name}"))
    more = len(ranked) - _MAX_LEGEND
    return element("ul", *entries, element("li", f"and {more:,} more") if more > 0 else None, class_="legend")
