"""What ``predict`` prints in a terminal: the answer, a short table, the shares of the time, and few notes."""

from collections.abc import Sequence

from edge_bench.app.render.short_table import SHORTEST_NAME, Column, ShortTable
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.short_table import short_table_lines
from edge_bench.app.render.text.wrapping import wrapped
from edge_bench.app.tables.answer.layout import laid_out
from edge_bench.app.tables.answer.notes import shown_notes
from edge_bench.app.tables.prediction.sentences import prediction_notes, prediction_sentences
from edge_bench.app.tables.prediction.wording import interval, kind_name, memory, milliseconds
from edge_bench.bench.prediction.answer import PredictedModel
from edge_bench.bench.prediction.work import CLASSES

__all__ = ["prediction_text"]

#: Order in which columns are reduced, the highest first.
_MEMORY, _P90, _80, _LIMIT, _METHOD = 9, 8, 7, 6, 5
_MORE = "--why shows all notes, --wide all columns"


def prediction_text(
    predicted: Sequence[PredictedModel], tables: Sequence[Table], width: int, *, wide: bool, why: bool, limit: bool
) -> str:
    """Return the answer in lines of ``width`` characters.

    tables: those with all columns, for ``wide``
    why: all notes
    limit: whether wide tables have to fit the width
    """
    return laid_out(
        [line for sentence in prediction_sentences(predicted) for line in wrapped(sentence, width)],
        lambda: _short(predicted, width),
        lambda: shown_notes(prediction_notes(predicted), width, _MORE),
        tables,
        width if limit else None,
        wide=wide,
        why=why,
    )


def _short(predicted: Sequence[PredictedModel], width: int) -> list[list[str]]:
    times = ShortTable(
        "PREDICTED latency, ms per inference", [*_names(predicted), *_times(predicted)], _marks(predicted)
    )
    found = [each for each in predicted if each.prediction]
    if not found:
        return [short_table_lines(times, width)]
    shares = ShortTable("PREDICTED shares of the time", [*_names(found), *_shares(found)], _marks(found))
    return [short_table_lines(times, width), short_table_lines(shares, width)]


def _marks(predicted: Sequence[PredictedModel]) -> list[str]:
    return [""] * len(predicted)


def _names(predicted: Sequence[PredictedModel]) -> list[Column]:
    """Return the columns that identify a row; the model only if there are several."""
    models = [each.model for each in predicted]
    model = [Column("model", models, right=False, shrinks_to=SHORTEST_NAME)] if len(set(models)) > 1 else []
    device = Column("device", [each.device for each in predicted], right=False, shrinks_to=SHORTEST_NAME)
    return [*model, device, Column("threads", [str(each.threads) for each in predicted])]


def _times(predicted: Sequence[PredictedModel]) -> list[Column]:
    found = [each.prediction for each in predicted]
    return [
        Column("median", [milliseconds(one.milliseconds) if one else "refused" for one in found]),
        Column("80 %", [interval(one.interval_80) if one else "" for one in found], dropped=_80),
        Column("90 %", [interval(one.interval_90) if one else "" for one in found]),
        Column("p90", [milliseconds(one.p90_milliseconds) if one else "" for one in found], dropped=_P90),
        Column("limit", [each.limited_by for each in predicted], right=False, dropped=_LIMIT),
        Column("method", [each.method for each in predicted], right=False, dropped=_METHOD),
        Column("memory", [memory(each) for each in predicted], right=False, dropped=_MEMORY),
    ]


def _shares(predicted: Sequence[PredictedModel]) -> list[Column]:
    shares = [each.prediction.shares if each.prediction else {} for each in predicted]
    kinds = [kind for kind in CLASSES if any(kind in each for each in shares)]
    waiting = [f"{each.prediction.memory_share:.0%}" if each.prediction else "" for each in predicted]
    return [
        *(
            Column(kind_name(kind).replace(" ", "\n", 1), [f"{each.get(kind, 0.0):.0%}" for each in shares])
            for kind in kinds
        ),
        Column("waiting for\nmemory", waiting, dropped=_MEMORY),
    ]
