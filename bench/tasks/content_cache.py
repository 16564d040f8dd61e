"""Results that are computed once for records of equal content, because bootstraps of outputs take seconds."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec
import numpy as np

__all__ = ["cached_by_content"]

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
#: Number of results that each function keeps, those used last.
_KEPT = 256


def cached_by_content(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Return the function with its last results kept, found by the content of its arguments.

    Arguments are records, arrays, numbers or None. Records of different Runs with the same outputs share a result.
    """
    known: OrderedDict[bytes, Answer] = OrderedDict()

    @wraps(function)
    def found(*arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        try:
            key = _digest((arguments, sorted(named.items())))
        except UnicodeEncodeError:  # names from files that are not UTF-8
            return function(*arguments, **named)
        if key not in known:
            known[key] = function(*arguments, **named)
            if len(known) > _KEPT:
                known.popitem(last=False)
        known.move_to_end(key)
        return known[key]

    return found


def _digest(arguments: Any) -> bytes:
    return hashlib.blake2b(msgspec.msgpack.encode(arguments, enc_hook=_plain), digest_size=16).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [value.dtype.str, list(value.shape), value.tobytes()]
    raise TypeError(f"{type(value).__name__} is not supported as an argument of a cached_by_content function")
