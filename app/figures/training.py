"""The paper's Figure 4: training and validation accuracy and loss over epochs."""

from pathlib import Path
from typing import Any

from edge_bench.app.figures.drawing.axes import grid, whole_numbers
from edge_bench.app.figures.drawing.canvas import Drawing, new_figure, render
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.units import counted, percent, significant
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.records.manifest import History

__all__ = ["draw_training", "training"]

_TRAINING, _VALIDATION = "#0072b2", "#d55e00"


def training(history: History) -> Drawing:
    """Return the figure of training and validation accuracy and loss, one value per epoch."""
    return Drawing(
        name="training",
        title="Training",
        caption="Accuracy and cross-entropy loss of each epoch. Training values are means over the epoch, with "
        "dropout. Validation values are measured at the end of the epoch, without dropout.",
        description=f"{counted(len(history.loss), 'epoch')}. At the end: training accuracy "
        f"{percent(history.accuracy[-1])} %, validation accuracy "
        f"{percent(history.val_accuracy[-1])} %, training loss {significant(history.loss[-1])}, validation loss "
        f"{significant(history.val_loss[-1])}.",
        draw=lambda layout: _draw(history, layout),
    )


def _draw(history: History, layout: Layout) -> Any:
    figure, panels = new_figure(layout, 4.2, rows=2) if layout.narrow else new_figure(layout, 2.4, columns=2)
    epochs = range(1, len(history.loss) + 1)
    marker = "o" if len(epochs) < 15 else None
    for panel, train, valid, title, unit in (
        (panels[0], [100 * v for v in history.accuracy], [100 * v for v in history.val_accuracy], "Accuracy", "%"),
        (panels[1], history.loss, history.val_loss, "Loss", "cross-entropy, nats"),
    ):
        panel.plot(epochs, train, color=_TRAINING, marker=marker, markersize=3, label="training")
        panel.plot(epochs, valid, color=_VALIDATION, linestyle="--", marker=marker, markersize=3, label="validation")
        panel.set(xlabel="epoch", ylabel=unit, title=title)
        panel.set_xlim(1 - 0.02 * len(epochs), len(epochs) * 1.02) if len(epochs) > 1 else panel.set_xlim(0, 2)
        whole_numbers(panel.xaxis)
        grid(panel, "y")
        panel.legend()
    return figure


def draw_training(history: History, path: Path) -> None:
    """Write the training figure to ``path`` as PNG."""
    write_atomically(path, render(training(history), Layout.PAGE, "png"))
