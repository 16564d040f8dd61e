"""One model trained by several workers: each takes its share of every batch, and their gradients are summed.

Keras 3's ``model.fit`` does not run under MultiWorkerMirroredStrategy (with TensorFlow 2.21 it ends in "PerReplica …
to a Tensor"), so the step is written out: ``strategy.run``, and the optimizer, which sums the gradients over the
workers as it applies them. A batch is the same images in the same order as on one worker, shared out as evenly as it
goes, and the loss is divided by the whole batch: without dropout the weights are those of one worker but for the
order in which numbers are added up.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge_bench.app.training.data.datasets import DATASETS, Dataset, load_dataset
from edge_bench.app.training.distributed.collective import Collective, lost_worker
from edge_bench.app.training.fit.checkpoints import TrainingSettings
from edge_bench.app.training.fit.epochs import (
    EVALUATION_BATCH,
    Examples,
    Fit,
    checked_loss,
    epoch_order,
    new_model,
    prepare,
    seed_dropout,
)
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import History

__all__ = ["Chief", "WorkerSummary", "nothing_to_do", "run_worker"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the chief tells the others at the start."""

    settings: TrainingSettings
    dataset_sha256: str
    versions: dict[str, str]
    done: int  # epochs
    last: int
    complete: bool = False  # there is a bundle already


class WorkerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker that is not the chief did: epochs of a training whose bundle the chief has."""

    worker: int
    workers: int
    chief: str
    epochs: int


class SharedModel:
    """The model that all workers hold, the same weights everywhere after every step."""

    def __init__(self, team: Collective, dataset: Dataset, settings: TrainingSettings) -> None:
        self._team = team
        with lost_worker(team.cluster), team.strategy.scope():
            self._model = new_model(dataset, settings)
            self._model.optimizer.build(self._model.trainable_variables)
        self._step, self._judge = self._compiled(dataset.train_images.shape[1:])

    def load_state(self, model: Any | None) -> None:
        """Weights and the optimizer's state from the chief, whose ``model`` has them."""
        held = [*self._model.weights, *self._model.optimizer.variables]
        source = [*model.weights, *model.optimizer.variables] if model else held
        values = [np.asarray(variable.numpy()) for variable in source]
        for variable, value in zip(held, self._team.chief_arrays(values), strict=True):
            variable.assign(value)

    def export_state(self, model: Any) -> None:
        """Weights and the optimizer's state to a model of this process alone."""
        held = [*self._model.weights, *self._model.optimizer.variables]
        for variable, shared in zip([*model.weights, *model.optimizer.variables], held, strict=True):
            variable.assign(shared.numpy())

    def epoch(self, number: int, examples: Examples, settings: TrainingSettings) -> dict[str, float]:
        """One epoch over all images, of which this worker sees its share: what all came to, by Keras's names."""
        index, size = self._team.cluster.index, self._team.size
        seed_dropout(self._model, settings, number, index)
        order = epoch_order(settings, number, len(examples.labels))
        loss = right = 0.0
        for start in range(0, len(order), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            mine = np.array_split(batch, size)[index]
            counted = np.ones(len(mine), np.float32)
            if not len(mine):  # an image that counts for nothing, since every layer needs one
                mine, counted = batch[:1], np.zeros(1, np.float32)
            with lost_worker(self._team.cluster):
                step = self._step(examples.images[mine], examples.labels[mine], counted, np.float32(len(batch)))
                loss, right = loss + float(step[0]), right + float(step[1])
        self._average_statistics()
        validated = self._validation(examples)
        (total,) = self._team.all_reduce([np.array([loss / len(order), right / len(order), *validated])])
        checked_loss(float(total[0]), number)
        return dict(zip(("loss", "accuracy", "val_loss", "val_accuracy"), map(float, total), strict=True))

    def _validation(self, examples: Examples) -> tuple[float, float]:
        """This worker's share of the loss and the accuracy on the validation images."""
        images, labels = examples.validation
        loss = right = 0.0
        for batch in np.array_split(np.arange(len(labels)), -(-len(labels) // EVALUATION_BATCH)):
            mine = np.array_split(batch, self._team.size)[self._team.cluster.index]
            if len(mine):
                judged = self._judge(images[mine], labels[mine])
                loss, right = loss + float(judged[0]), right + float(judged[1])
        penalty = float(sum(self._model.losses)) / self._team.size if self._model.losses else 0.0
        return loss / len(labels) + penalty, right / len(labels)

    def _average_statistics(self) -> None:
        """What layers learn without gradients, batch normalization's means say, each worker has from its own images."""
        if variables := self._model.non_trainable_weights:
            totals = self._team.all_reduce([np.asarray(variable.numpy()) for variable in variables])
            for variable, total in zip(variables, totals, strict=True):
                variable.assign(total / self._team.size)

    def _compiled(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """A step of training and one of validation: sums of loss and right answers over this worker's images."""
        import tensorflow as tf

        model, strategy, workers = self._model, self._team.strategy, self._team.size

        def step(images: Any, labels: Any, counted: Any, batch: Any) -> Any:
            with tf.GradientTape() as tape:
                losses, right = _judged(model, images, labels, training=True)
                loss = tf.reduce_sum(counted * losses) / batch
                if model.losses:  # of the weights, the same at every worker
                    loss += tf.add_n(model.losses) / workers
            model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            return loss * batch, tf.reduce_sum(counted * right)

        def judge(images: Any, labels: Any) -> Any:
            losses, right = _judged(model, images, labels, training=False)
            return tf.reduce_sum(losses), tf.reduce_sum(right)

        images, labels = tf.TensorSpec((None, *shape), tf.float32), tf.TensorSpec((None,), tf.int32)
        counts, count = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)
        return (
            tf.function(
                lambda *own: strategy.run(step, args=own),
                input_signature=[images, labels, counts, count],
                autograph=False,
            ),
            tf.function(lambda *own: strategy.run(judge, args=own), input_signature=[images, labels], autograph=False),
        )


def _judged(model: Any, images: Any, labels: Any, *, training: bool) -> tuple[Any, Any]:
    """Each image's loss, and 1 where the answer is right."""
    import keras
    import tensorflow as tf

    scores = model(images, training=training)
    right = tf.argmax(scores, axis=1, output_type=tf.int32) == labels
    return keras.losses.sparse_categorical_crossentropy(labels, scores), tf.cast(right, tf.float32)


class Chief:
    """Worker 0 as ``train_epochs`` sees it: it keeps the model, its history and its checkpoints."""

    def __init__(self, team: Collective) -> None:
        self._team = team
        self.size = team.size

    def fit(self, model: Any, history: History, last: int, dataset: Dataset, settings: TrainingSettings) -> Fit:
        """Tells the others what there is to do, up to epoch ``last``, and gives them the model as it is.

        BadInput where another worker was started with other settings, data or versions.
        """
        plan = Plan(
            settings=settings,
            dataset_sha256=dataset.info.sha256,
            versions=_versions(),
            done=len(history.loss),
            last=last,
        )
        self._team.broadcast(msgspec.json.encode(plan))
        for number, problem in enumerate(self._team.all_gather("")):
            if problem:
                raise BadInput(
                    f"{self._team.cluster.name(number)} cannot take part: {problem}", "start all of them again"
                )
        shared = SharedModel(self._team, dataset, settings)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        shared.load_state(model)

        def fit(model: Any, epoch: int, examples: Examples, settings: TrainingSettings) -> dict[str, float]:
            logs = shared.epoch(epoch, examples, settings)
            shared.export_state(model)
            return logs

        return fit

    def finish(self) -> None:
        """All is written: the others may end."""
        self._team.finish()


def nothing_to_do(team: Collective, settings: TrainingSettings) -> None:
    """The chief has the bundle already: the others need not wait."""
    plan = Plan(settings=settings, dataset_sha256="", versions={}, done=0, last=0, complete=True)
    team.broadcast(msgspec.json.encode(plan))
    team.finish()


def run_worker(
    team: Collective,
    settings: TrainingSettings,
    explicit_options: Collection[str] | None,
    source: str | None,
    data_dir: Path | None,
    progress: Progress,
) -> WorkerSummary:
    """Train along with the chief until its bundle is written. Settings not in ``explicit_options`` are the chief's.

    ``source`` is a folder of images to take for the data set of that name, ``data_dir`` where to look for known ones.
    """
    plan = msgspec.json.decode(team.broadcast(), type=Plan)
    cluster = team.cluster
    followed = WorkerSummary(worker=cluster.index, workers=team.size, chief=cluster.addresses[0], epochs=0)
    if plan.complete:
        team.finish()
        return followed
    dataset, problem = None, _differing(plan, settings, explicit_options)
    if not problem:
        dataset, problem = _same_data(plan, source, data_dir, progress)
    team.all_gather(problem)
    if problem or dataset is None:
        raise BadInput(f"this worker cannot take part: {problem}", "start all of them again")
    prepare(plan.settings)
    shared = SharedModel(team, dataset, plan.settings)
    shared.load_state(None)
    examples = Examples.from_dataset(dataset)
    progress.start("training along", plan.last, plan.done)
    for epoch in range(plan.done, plan.last):
        logs = shared.epoch(epoch, examples, plan.settings)
        progress.advance(1, f"loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}")
    progress.finish()
    team.finish()
    return msgspec.structs.replace(followed, epochs=plan.last - plan.done)


def _versions() -> dict[str, str]:
    from edge_bench.app.conversion.bundle_files import versions

    return {name: version for name, version in versions().items() if name in ("edge-bench", "tensorflow", "keras")}


def _differing(plan: Plan, settings: TrainingSettings, explicit_options: Collection[str] | None) -> str:
    """What this worker was started with and the chief was not, as a sentence, or nothing."""
    stated = settings.__struct_fields__ if explicit_options is None else explicit_options
    ours, theirs = msgspec.structs.asdict(settings), msgspec.structs.asdict(plan.settings)
    found = [
        f"{name} {ours[name]} here, {theirs[name]} at the chief"
        for name in settings.__struct_fields__
        if name in stated and ours[name] not in (theirs[name], "auto")
    ]
    here = _versions()
    found += [
        f"{name} {here[name]} here, {there} at the chief"
        for name, there in plan.versions.items()
        if here[name] != there
    ]
    return ", ".join(found)


def _same_data(plan: Plan, source: str | None, data_dir: Path | None, progress: Progress) -> tuple[Dataset | None, str]:
    name = plan.settings.dataset
    if name not in DATASETS and source is None:
        return None, f"it has no folder of images called {name}: name it with --dataset"
    try:
        dataset = load_dataset(source or name, data_dir, progress)
    except EdgeBenchError as cause:
        return None, f"{cause.problem} ({cause.remedy})"
    if dataset.info.sha256 != plan.dataset_sha256:
        return None, f"its {name} is not the same data as the chief's"
    return dataset, ""
