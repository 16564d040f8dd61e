"""Names, types and shapes of a graph's inputs and outputs, their axis of examples, and the user's settings."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.records.tensor_spec import TensorSpec, has_batch_axis

__all__ = ["Layout", "Port", "UnknownInput", "unique_names"]


class Port(NamedTuple):
    """An input or output as in the file."""

    name: str
    dtype: str
    axes: list[int] | None  # -1: open; None: even the number of axes is unknown
    scale: float = 0.0
    zero_point: int = 0
    has_examples: bool = False  # of an output with an open first axis: whether the file states that it is the examples


def unique_names(names: Sequence[str], kind: str) -> list[str]:
    """Return unique names: an empty one becomes ``input 0``, a repeated one gets its number."""
    found = list[str]()
    for number, name in enumerate(names):
        new = name or f"{kind} {number}"
        while new in found:
            new = f"{new}#{number}"
        found.append(new)
    return found


class Layout:
    """Inputs and outputs for one batch size and the stated sizes of open axes.

    The batch size can be more than 1 only if the first axis of every input is open and is the examples, and every
    output keeps it.
    """

    def __init__(
        self,
        inputs: Sequence[Port],
        outputs: Sequence[Port],
        batch_size: int | None,
        stated_shapes: Mapping[str, tuple[int, ...]],
    ) -> None:
        """Raise ValueError for inputs or outputs of other types than numbers, or settings that do not fit them."""
        if not inputs:
            raise ValueError("the model has no inputs, so there are no examples to measure it with")
        _check_types(inputs, outputs)
        self._outputs = outputs
        shapes = [_with_stated(port, stated_shapes) for port in inputs]
        _refuse_unknown_names([port.name for port in inputs], stated_shapes)
        self.has_batch_axis = [
            has_batch_axis(port.axes or [])
            # the size of the only axis of an input is the size of an example
            and not (port.name in stated_shapes and len(shape) == 1)
            for port, shape in zip(inputs, shapes, strict=True)
        ]
        self._closed = self._why_closed(inputs)
        stated = {
            shape[0] for port, shape, has in zip(inputs, shapes, self.has_batch_axis, strict=True)
            if has and port.name in stated_shapes and shape[0] != 1
        }  # fmt: skip
        self.batch_size = self._size(batch_size, stated)
        self.inputs = [
            _spec(port, [self.batch_size, *shape[1:]] if has else shape)
            for port, shape, has in zip(inputs, shapes, self.has_batch_axis, strict=True)
        ]
        #: The inputs as in the file. An open axis of examples has size -1.
        self.described_inputs = [_spec(port, shape) for port, shape in zip(inputs, shapes, strict=True)]
        self._axes: list[list[int] | None] = [port.axes for port in outputs]
        #: Whether the first axis of each output is the examples. `learn` corrects it after an invocation.
        self.keeps_batch_axis = [self._may_keep(port) for port in outputs]

    @property
    def fixed_batch(self) -> int | None:
        """1 if the model takes one example at a time; None if any number."""
        return 1 if self._closed else None

    @property
    def is_open(self) -> bool:
        """Whether an input has an axis whose size is neither known nor set."""
        return any(-1 in spec.shape for spec in self.inputs)

    @property
    def is_certain(self) -> bool:
        """Whether number and meaning of the axes of every output are known from the file alone."""
        return all(
            port.axes is not None and (port.has_examples or self._closed or -1 not in port.axes[:1])
            for port in self._outputs
        )

    @property
    def outputs(self) -> list[TensorSpec]:
        """Whole shapes, with -1 for an unknown size. Unknown axes count as none."""
        return self._output_specs(self.batch_size)

    @property
    def described_outputs(self) -> list[TensorSpec]:
        """The outputs in the form of `described_inputs`."""
        return self._output_specs(self.fixed_batch or -1)

    def learn(self, shapes: Sequence[Sequence[int]], examples: int) -> None:
        """Take the output shapes of an invocation; raise ValueError if one does not have one row per example.

        The invocation determines the numbers of axes, and which open first axes are the examples. A size of 0 stays
        open, since the size then depends on the values.
        """
        for number, (port, shape) in enumerate(zip(self._outputs, shapes, strict=True)):
            if port.axes is None:
                self._axes[number] = [size or -1 for size in shape]
            elif port.has_examples or self._closed or port.axes[:1] != [-1]:
                continue
            self.keeps_batch_axis[number] = any(self.has_batch_axis) and list(shape[:1]) == [examples]
        if not self._closed and not all(self.keeps_batch_axis):
            name = self._outputs[self.keeps_batch_axis.index(False)].name
            self._closed = f"output {name[:80]} does not have one row for each example"
            self._size(self.batch_size, set())

    def _why_closed(self, inputs: Sequence[Port]) -> str:
        """Return why only one example fits in an invocation; empty if several fit."""
        for port, has in zip(inputs, self.has_batch_axis, strict=True):
            if not has:
                return f"input {port.name[:80]} has no axis for several examples"
            if (port.axes or [])[:1] != [-1]:
                return f"the first axis of input {port.name[:80]} has the fixed size 1"
        for port in self._outputs:
            if port.axes is not None and port.axes[:1] != [-1]:
                return f"output {port.name[:80]} has no open axis for several examples"
        return ""

    def _size(self, asked: int | None, stated: set[int]) -> int:
        size = asked or next(iter(stated), 1)
        if stated - {size}:
            raise ValueError(
                f"the shapes of --shape have {' and '.join(map(str, sorted(stated)))} examples, but the batch size is "
                f"{size}: use 1 for the first axis"
            )
        if self._closed and size != 1:
            raise ValueError(f"a batch of {size}: {self._closed}; use batch size 1")
        return size

    def _may_keep(self, port: Port) -> bool:
        if not any(self.has_batch_axis) or not port.axes:
            return False
        return port.axes[0] == 1 or (port.axes[0] == -1 and not self._closed)

    def _output_specs(self, examples: int) -> list[TensorSpec]:
        return [
            _spec(port, [examples, *(axes or [0])[1:]] if keeps else axes or [])
            for port, axes, keeps in zip(self._outputs, self._axes, self.keeps_batch_axis, strict=True)
        ]


class UnknownInput(ValueError):
    """A stated shape of an input that the model does not have. ``known`` has the names of its inputs."""

    def __init__(self, problem: str, known: Sequence[str]) -> None:
        super().__init__(problem)
        self.known = list(known)


def _check_types(inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
    for kind, ports in (("input", inputs), ("output", outputs)):
        for port in ports:
            if port.dtype not in NUMBER_TYPES:
                raise ValueError(
                    f"{kind} {port.name[:80]} is of type {port.dtype[:40]}: only numbers and booleans are supported"
                )


def _with_stated(port: Port, stated: Mapping[str, tuple[int, ...]]) -> list[int]:
    """Return the axes of an input, with the stated sizes of open ones."""
    shape = stated.get(port.name)
    if shape is None:
        if port.axes is None:
            raise ValueError(
                f"the number of axes of input {port.name[:80]} is unknown; set its shape: --shape {port.name[:80]}=1xN"
            )
        return port.axes
    axes = port.axes if port.axes is not None else [-1] * len(shape)
    if len(shape) != len(axes) or any(size not in (-1, given) for size, given in zip(axes, shape, strict=True)):
        raise ValueError(f"--shape {port.name[:80]}: {list(shape)}, but the input has shape {axes} (-1: any size)")
    return list(shape)


def _refuse_unknown_names(names: Sequence[str], stated: Mapping[str, tuple[int, ...]]) -> None:
    if unknown := [name for name in stated if name not in names]:
        raise UnknownInput(f"no input is called {unknown[0][:80]}; choose from {', '.join(names)[:400]}", names)


def _spec(port: Port, shape: Sequence[int]) -> TensorSpec:
    return TensorSpec(dtype=port.dtype, shape=list(shape), scale=port.scale, zero_point=port.zero_point, name=port.name)
