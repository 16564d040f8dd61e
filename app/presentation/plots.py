"""The pictures that a bundle carries."""

from pathlib import Path

from app.presentation.figures.canvas import render
from app.presentation.figures.training import training
from app.presentation.formats import Layout
from bench.bundle import History
from bench.files import write_atomically

__all__ = ["draw_training"]


def draw_training(history: History, path: Path) -> None:
    """The paper's Figure 4: accuracy and loss over epochs, training and validation, in two panels, as PNG."""
    write_atomically(path, render(training(history), Layout.PAGE, "png"))
