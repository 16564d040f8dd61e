"""Interpreters of tflite-runtime and LiteRT with a delegate, and how many nodes the delegates run."""

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.delegate import NO_DELEGATE, DelegateSetting, Delegation

__all__ = ["DelegatedInterpreter", "HasDelegations", "delegations_of", "session_warnings"]

#: Name that both libraries give to a node that replaces others.
_DELEGATE = "DELEGATE"
#: The runtime's own delegate, which both libraries apply by themselves.
_OWN = "XNNPACK"
_MEASURE_WITHOUT = "measure without it: --delegate default"


@runtime_checkable
class HasDelegations(Protocol):
    """A session that can count the nodes of its delegates."""

    warning: str

    def delegations(self) -> list[Delegation]:
        """Return how many nodes each delegate runs."""


class DelegatedInterpreter:
    """An interpreter with the delegate of a setting, or without any."""

    def __init__(self, library: Any, path: Path, threads: int, setting: DelegateSetting) -> None:
        """Create it with ``library``, the module ``interpreter`` of tflite-runtime or LiteRT.

        Raise BadInput if the delegate cannot be loaded, or refuses its options or the model.
        """
        self._setting = setting
        self._version = ""
        how: dict[str, Any] = {}
        if setting.text == NO_DELEGATE:
            how["experimental_op_resolver_type"] = library.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        elif setting.library is not None:
            how["experimental_delegates"] = [_loaded(library, setting)]
            self._version = _reported_version(setting.library)
        try:
            self.interpreter = library.Interpreter(model_path=str(path), num_threads=threads, **how)
        except (RuntimeError, ValueError) as cause:
            if setting.library is None:
                raise
            # of a delegate for fixed shapes and a graph with others, the library prints the reason only to stderr
            reason = _text(cause) or "no reason is given; some delegates need a model whose axes all have a size"
            raise BadInput(f"{setting.name} refuses the model: {reason}", _MEASURE_WITHOUT) from None
        # the libraries apply their own delegate later, when tensors are allocated
        self._parts = 0 if setting.library is None else len(_parts_of(self.interpreter._get_ops_details()))

    @property
    def limits_shapes(self) -> str:
        """Name of the delegate's library, which may refuse other shapes than the file's; empty if there is none."""
        return "" if self._setting.library is None else self._setting.name

    def delegations(self) -> list[Delegation]:
        """Return the nodes of the setting's delegate, and of the runtime's own if it runs any.

        Neither library states them. They are found by the tensors: each replaced node is in the list of operators
        beside the one that replaces it. A node whose results are unused is not found.
        """
        operators = self.interpreter._get_ops_details()
        parts, total = _parts_of(operators), sum(each["op_name"] != _DELEGATE for each in operators)
        found = []
        if self._setting.library is not None:
            found.append((self._setting.name, parts[: self._parts], self._version))
        if own := parts[self._parts :]:
            found.append((_OWN, own, ""))
        return [
            Delegation(name=name, nodes=len(set().union(*own)), total_nodes=total, parts=len(own), version=version)
            for name, own, version in found
        ] or [Delegation(name=_OWN, nodes=0, total_nodes=total, parts=0)]


def delegations_of(session: object) -> list[Delegation]:
    """Return how many nodes of a session's model each delegate runs; an empty list if that is unknown."""
    return session.delegations() if isinstance(session, HasDelegations) else []


def session_warnings(session: Any) -> list[str]:
    """Return the warnings about the times of a session, for example that the delegate runs nothing."""
    unused = [each for each in delegations_of(session) if not each.nodes and each.name != _OWN]
    return [
        *([session.warning] if session.warning else []),
        *(
            f"the delegate {each.name} took none of the {each.total_nodes} nodes: the times are those of the CPU"
            for each in unused
        ),
    ]


def _loaded(library: Any, setting: DelegateSetting) -> Any:
    """Return the loaded delegate; raise BadInput if the library cannot be loaded or refuses."""
    try:
        return library.load_delegate(str(setting.library), setting.options)
    except OSError as cause:
        raise BadInput(
            f"{setting.name} cannot be loaded: {_text(cause)}",
            "install the libraries that it needs, for this machine's processor and C library",
        ) from None
    except AttributeError as cause:
        raise BadInput(
            f"{setting.name} is not a delegate: {_text(cause)}", "use an external delegate, such as libedgetpu.so.1"
        ) from None
    except ValueError as cause:  # the first line names the library
        said = " ".join(str(cause).splitlines()[1:]).strip()
        raise BadInput(
            f"{setting.name} refuses to start: {said[:300] or 'it states no reason'}",
            f"check its options and that its device is connected; or {_MEASURE_WITHOUT}",
        ) from None


def _text(cause: Exception) -> str:
    return " ".join(str(cause).split())[:300]


def _reported_version(library: Path) -> str:
    """Return the version that libedgetpu reports; empty for other libraries."""
    try:
        version = ctypes.CDLL(str(library)).edgetpu_version
    except (AttributeError, OSError):
        return ""
    version.restype = ctypes.c_char_p
    return (version() or b"").decode(errors="replace")[:300]


def _parts_of(operators: Sequence[Mapping[str, Any]]) -> list[set[int]]:
    """Return the nodes that each delegated node replaces, in the order in which the delegates were applied.

    A delegated node replaces all nodes between its inputs and outputs.
    """
    producers = {
        int(tensor): number
        for number, each in enumerate(operators)
        if each["op_name"] != _DELEGATE
        for tensor in each["outputs"]
    }
    parts = []
    for each in operators:
        if each["op_name"] != _DELEGATE:
            continue
        nodes, inputs = set[int](), {int(tensor) for tensor in each["inputs"]}
        wanted = [int(tensor) for tensor in each["outputs"]]
        while wanted:
            tensor = wanted.pop()
            number = producers.get(tensor)
            if tensor not in inputs and number is not None and number not in nodes:
                nodes.add(number)
                wanted += [int(needed) for needed in operators[number]["inputs"]]
        parts.append(nodes)
    return parts
