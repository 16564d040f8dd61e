"""Encoded SavedModels of a few nodes, made without TensorFlow, and changes that an attacker might make."""

from collections.abc import Sequence

__all__ = ["call", "constant", "field", "function", "node", "ordinary", "saved_model", "text"]


def field(number: int, value: bytes | str | int) -> bytes:
    """Return a protobuf field: a message or text, or a number."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    digits = []
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def call(name: str, **attributes: bytes) -> bytes:
    """Return an attribute's value that is a function."""
    return field(10, field(1, name) + _map(2, attributes))


def text(value: str) -> bytes:
    """Return an attribute's value that is a text."""
    return field(2, value)


def constant(*shape: int) -> bytes:
    """Return an attribute's value that is a float tensor, of which the file has one value."""
    return field(8, field(1, 1) + field(2, b"".join(field(2, field(1, size)) for size in shape)))


def _map(number: int, entries: dict[str, bytes]) -> bytes:
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in entries.items())


def node(name: str, operation: str, inputs: Sequence[str] = (), **attributes: bytes) -> bytes:
    """Return a NodeDef."""
    return field(1, name) + field(2, operation) + b"".join(field(3, each) for each in inputs) + _map(5, attributes)


def function(name: str, arguments: Sequence[str], nodes: Sequence[bytes], **attributes: bytes) -> bytes:
    """Return a FunctionDef."""
    signature = field(1, name) + b"".join(field(2, field(1, argument)) for argument in arguments)
    return field(1, signature) + b"".join(field(3, each) for each in nodes) + _map(5, attributes)


def saved_model(
    nodes: Sequence[bytes],
    functions: Sequence[bytes] = (),
    saver: tuple[str, str, str] = ("", "", ""),
    signatures: Sequence[str] = (),
    collections: dict[str, str] | None = None,
    called: Sequence[str] = (),
    gradients: Sequence[tuple[str, str]] = (),
) -> bytes:
    """Return a SavedModel of one graph.

    ``saver`` names the tensors of the path and of saving, and the operation that restores; ``signatures`` the outputs
    of signatures; ``collections`` nodes in collections; ``called`` functions in the tree of objects.
    """
    library = b"".join(field(1, each) for each in functions)
    library += b"".join(field(2, field(1, each) + field(2, gradient)) for each, gradient in gradients)
    graph = b"".join(field(1, each) for each in nodes) + field(2, library)
    parts = field(2, graph) + field(3, b"".join(field(number, each) for number, each in enumerate(saver, 1) if each))
    for key, name in (collections or {}).items():
        parts += field(4, field(1, key) + field(2, field(1, field(1, name))))
    for name in signatures:
        parts += field(5, field(1, name) + field(2, field(2, field(1, "scores") + field(2, field(1, name)))))
    parts += field(7, b"".join(field(2, field(1, name) + field(2, b"")) for name in called))
    return field(1, 1) + field(2, parts)


RESTORE = function(
    "restore", ["prefix", "v"], [node("r", "RestoreV2", ["prefix", "names"]), node("n", "Identity", ["r"])]
)
SAVE = function("save", ["prefix", "v"], [node("s", "SaveV2", ["prefix"]), node("m", "MergeV2Checkpoints", ["s"])])


def ordinary(
    serving: Sequence[bytes] = (),
    nodes: Sequence[bytes] = (),
    functions: Sequence[bytes] = (),
    restore: bytes = RESTORE,
    saver: tuple[str, str, str] = ("path:0", "saving:0", "restoring"),
    **other: object,
) -> bytes:
    """Return a SavedModel as TensorFlow 2 writes it, with more nodes in its serving function, graph and library."""
    every = [
        node("path", "Placeholder"),
        node("v", "VarHandleOp"),
        node("answer", "StatefulPartitionedCall", ["v"], f=call("serve")),
        node("saving", "StatefulPartitionedCall", ["path", "v"], f=call("save")),
        node("restoring", "StatefulPartitionedCall", ["path", "v"], f=call("restore")),
        *nodes,
    ]
    serve = function("serve", ["x"], [node("m", "MatMul", ["x", "x"]), *serving])
    arguments = {"signatures": ["answer:0"], "called": ["serve"]} | other
    return saved_model(every, [serve, SAVE, restore, *functions], saver, **arguments)  # type: ignore[arg-type]
