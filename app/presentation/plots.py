"""Pictures, drawn with matplotlib: one style, colours that colour-blind readers can tell apart."""

from pathlib import Path
from typing import Any

from bench.bundle import History

__all__ = ["draw_training"]

#: Okabe & Ito 2008, "Color Universal Design".
BLUE, VERMILLION = "#0072B2", "#D55E00"


def _pyplot() -> Any:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    return pyplot


def draw_training(history: History, path: Path) -> None:
    """The paper's Figure 4: accuracy and loss over epochs, training and validation, in two panels, as PNG."""
    pyplot = _pyplot()
    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = range(1, len(history.loss) + 1)
    marker = "o" if len(epochs) < 15 else None
    for panel, training, validation, title in (
        (panels[0], history.accuracy, history.val_accuracy, "Accuracy"),
        (panels[1], history.loss, history.val_loss, "Loss (cross-entropy)"),
    ):
        panel.plot(epochs, training, color=BLUE, marker=marker, label="training")
        panel.plot(epochs, validation, color=VERMILLION, linestyle="--", marker=marker, label="validation")
        panel.set(xlabel="Epoch", ylabel=title, title=f"{title}, training and validation")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
        panel.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    figure.savefig(temporary, dpi=120, format="png")
    pyplot.close(figure)
    temporary.replace(path)
