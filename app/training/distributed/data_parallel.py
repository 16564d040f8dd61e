"""Synchronous data-parallel training: each worker processes its share of every batch, and gradients are summed.

Keras 3's ``model.fit`` does not run under MultiWorkerMirroredStrategy (with TensorFlow 2.21 it fails with "PerReplica …
to a Tensor"). The training step is therefore written with ``strategy.run``, and the optimizer sums the gradients over
the workers. A batch has the same images in the same order as with one worker, split as evenly as possible, and the loss
is divided by the size of the whole batch. Without dropout, the weights differ from those of one worker only by the
order of floating-point additions.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge_bench.app.training.data.datasets import DATASETS, Dataset, load_dataset
from edge_bench.app.training.distributed.cluster import CHIEF
from edge_bench.app.training.distributed.collective import Collective, lost_worker
from edge_bench.app.training.fit.checkpoints import TrainingSettings
from edge_bench.app.training.fit.epochs import (
    EVALUATION_BATCH,
    EpochTrainer,
    Examples,
    check_loss,
    epoch_order,
    make_deterministic,
    new_model,
    seed_dropout,
)
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import History

__all__ = ["Chief", "WorkerSummary", "dismiss_workers", "run_worker"]


class TrainingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan that the chief sends to the other workers before training."""

    settings: TrainingSettings
    dataset_sha256: str
    versions: dict[str, str]
    done: int  # epochs that are already trained
    last: int  # number of the last epoch to train, counted from 1
    complete: bool = False  # the bundle already exists: there is nothing to train


class WorkerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a worker other than the chief. Only the chief writes the bundle."""

    worker: int  # this worker's number
    workers: int  # number of workers
    chief: str  # host:port
    epochs: int  # epochs trained by this process


class SharedModel:
    """A model that every worker has, with the same weights after every step."""

    def __init__(self, collective: Collective, dataset: Dataset, settings: TrainingSettings) -> None:
        self._collective = collective
        with lost_worker(collective.cluster), collective.strategy.scope():
            self._model = new_model(dataset, settings)
            self._model.optimizer.build(self._model.trainable_variables)
        self._train_step, self._evaluate = self._compile(dataset.train_images.shape[1:])

    def load_state(self, model: Any | None) -> None:
        """Set weights and optimizer state to those of the chief's ``model``. The other workers pass None."""
        variables = [*self._model.weights, *self._model.optimizer.variables]
        source = [*model.weights, *model.optimizer.variables] if model else variables
        values = [np.asarray(variable.numpy()) for variable in source]
        for variable, value in zip(variables, self._collective.broadcast(values), strict=True):
            variable.assign(value)

    def export_state(self, model: Any) -> None:
        """Copy weights and optimizer state to a ``model`` outside the strategy."""
        variables = [*self._model.weights, *self._model.optimizer.variables]
        for variable, shared in zip([*model.weights, *model.optimizer.variables], variables, strict=True):
            variable.assign(shared.numpy())

    def epoch(self, number: int, examples: Examples, settings: TrainingSettings) -> dict[str, float]:
        """Train one epoch on this worker's share of the images. Return the metrics over all, by Keras's names."""
        index, size = self._collective.cluster.index, self._collective.size
        seed_dropout(self._model, settings, number, index)
        order = epoch_order(settings, number, len(examples.labels))
        loss = correct = 0.0
        for start in range(0, len(order), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            share = np.array_split(batch, size)[index]
            weights = np.ones(len(share), np.float32)
            if not len(share):  # layers need at least one image: use one with weight 0
                share, weights = batch[:1], np.zeros(1, np.float32)
            with lost_worker(self._collective.cluster):
                sums = self._train_step(examples.images[share], examples.labels[share], weights, np.float32(len(batch)))
                loss, correct = loss + float(sums[0]), correct + float(sums[1])
        self._average_statistics()
        own_metrics = np.array([loss / len(order), correct / len(order), *self._validation(examples)])
        (metrics,) = self._collective.all_reduce([own_metrics])
        check_loss(float(metrics[0]), number)
        return dict(zip(("loss", "accuracy", "val_loss", "val_accuracy"), map(float, metrics), strict=True))

    def _validation(self, examples: Examples) -> tuple[float, float]:
        """Return this worker's contribution to loss and accuracy on all validation images."""
        images, labels = examples.validation
        loss = correct = 0.0
        for batch in np.array_split(np.arange(len(labels)), -(-len(labels) // EVALUATION_BATCH)):
            share = np.array_split(batch, self._collective.size)[self._collective.cluster.index]
            if len(share):
                sums = self._evaluate(images[share], labels[share])
                loss, correct = loss + float(sums[0]), correct + float(sums[1])
        penalty = float(sum(self._model.losses)) / self._collective.size if self._model.losses else 0.0
        return loss / len(labels) + penalty, correct / len(labels)

    def _average_statistics(self) -> None:
        """Average variables without gradients over the workers, such as means of batch normalization."""
        if variables := self._model.non_trainable_weights:
            totals = self._collective.all_reduce([np.asarray(variable.numpy()) for variable in variables])
            for variable, total in zip(variables, totals, strict=True):
                variable.assign(total / self._collective.size)

    def _compile(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """Return a training step and an evaluation step: sums of losses and correct answers on this worker's images."""
        import tensorflow as tf

        model, strategy, workers = self._model, self._collective.strategy, self._collective.size

        def step(images: Any, labels: Any, weights: Any, batch_size: Any) -> Any:
            with tf.GradientTape() as tape:
                losses, correct = _losses_and_correct(model, images, labels, training=True)
                loss = tf.reduce_sum(weights * losses) / batch_size
                if model.losses:  # weight penalties, equal on all workers
                    loss += tf.add_n(model.losses) / workers
            model.optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            return loss * batch_size, tf.reduce_sum(weights * correct)

        def evaluate(images: Any, labels: Any) -> Any:
            losses, correct = _losses_and_correct(model, images, labels, training=False)
            return tf.reduce_sum(losses), tf.reduce_sum(correct)

        def compiled(function: Any, *signature: Any) -> Any:
            return tf.function(
                lambda *args: strategy.run(function, args=args), input_signature=signature, autograph=False
            )

        images, labels = tf.TensorSpec((None, *shape), tf.float32), tf.TensorSpec((None,), tf.int32)
        weights, size = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)
        return compiled(step, images, labels, weights, size), compiled(evaluate, images, labels)


def _losses_and_correct(model: Any, images: Any, labels: Any, *, training: bool) -> tuple[Any, Any]:
    """Return each image's loss, and 1.0 for each correct answer, else 0.0; both float32 [n]."""
    import keras
    import tensorflow as tf

    scores = model(images, training=training)
    correct = tf.argmax(scores, axis=1, output_type=tf.int32) == labels
    return keras.losses.sparse_categorical_crossentropy(labels, scores), tf.cast(correct, tf.float32)


class Chief:
    """The side of worker 0, which keeps the model, its history and its checkpoints."""

    def __init__(self, collective: Collective) -> None:
        self._collective = collective
        self.size = collective.size

    def start(
        self, model: Any, history: History, last: int, dataset: Dataset, settings: TrainingSettings
    ) -> EpochTrainer:
        """Send the plan, up to epoch ``last``, and the model's state to the other workers.

        Raise BadInput if another worker has other settings, data or versions.
        """
        plan = TrainingPlan(
            settings=settings,
            dataset_sha256=dataset.info.sha256,
            versions=_versions(),
            done=len(history.loss),
            last=last,
        )
        self._collective.all_gather(msgspec.json.encode(plan))
        _agree(self._collective, "")
        shared = SharedModel(self._collective, dataset, settings)
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        shared.load_state(model)

        def train_epoch(model: Any, epoch: int, examples: Examples, settings: TrainingSettings) -> dict[str, float]:
            logs = shared.epoch(epoch, examples, settings)
            shared.export_state(model)
            return logs

        return train_epoch

    def finish(self) -> None:
        """Let the other workers exit, after everything is written."""
        self._collective.finish()


def dismiss_workers(collective: Collective, settings: TrainingSettings) -> None:
    """Let the other workers exit without training, since the chief's bundle is complete."""
    plan = TrainingPlan(settings=settings, dataset_sha256="", versions={}, done=0, last=0, complete=True)
    collective.all_gather(msgspec.json.encode(plan))
    collective.finish()


def run_worker(
    collective: Collective,
    settings: TrainingSettings,
    explicit_options: Collection[str] | None,
    source: str | None,
    data_dir: Path | None,
    progress: Progress,
) -> WorkerSummary:
    """Train with the chief until its bundle is written. Settings not in ``explicit_options`` are the chief's.

    ``source`` is a folder of images that is the data set; known data sets are searched in ``data_dir``. Raise BadInput
    if settings, data or versions differ from the chief's.
    """
    plan = msgspec.json.decode(collective.all_gather()[CHIEF], type=TrainingPlan)
    cluster = collective.cluster
    summary = WorkerSummary(worker=cluster.index, workers=collective.size, chief=cluster.addresses[0], epochs=0)
    if plan.complete:
        collective.finish()
        return summary
    dataset, problem = None, _differences(plan, settings, explicit_options)
    if not problem:
        dataset, problem = _load_same_data(plan, source, data_dir, progress)
    _agree(collective, problem)
    if dataset is None:
        raise AssertionError("without data a worker has a problem")
    make_deterministic(plan.settings)
    shared = SharedModel(collective, dataset, plan.settings)
    shared.load_state(None)
    examples = Examples.from_dataset(dataset)
    progress.start("training", plan.last, plan.done)
    for epoch in range(plan.done, plan.last):
        logs = shared.epoch(epoch, examples, plan.settings)
        progress.advance(1, f"loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}")
    progress.finish()
    collective.finish()
    return msgspec.structs.replace(summary, epochs=plan.last - plan.done)


def _agree(collective: Collective, problem: str) -> None:
    """Exchange the problems of all workers. Raise BadInput on every worker if there is any."""
    problems = [msgspec.json.decode(each, type=str) for each in collective.all_gather(msgspec.json.encode(problem))]
    for number, other in enumerate(problems):
        if other:
            # all workers read this before any exits; otherwise the others would report a lost worker
            collective.finish()
            who = "this worker" if number == collective.cluster.index else collective.cluster.name(number)
            raise BadInput(f"{who} cannot train: {other}", "fix this and start all workers again")


def _versions() -> dict[str, str]:
    from edge_bench.app.conversion.bundle_files import versions

    return {name: version for name, version in versions().items() if name in ("edge-bench", "tensorflow", "keras")}


def _differences(plan: TrainingPlan, settings: TrainingSettings, explicit_options: Collection[str] | None) -> str:
    """Return how this worker's explicit settings and versions differ from the chief's, or an empty string."""
    compared = settings.__struct_fields__ if explicit_options is None else explicit_options
    ours, theirs = msgspec.structs.asdict(settings), msgspec.structs.asdict(plan.settings)
    differences = [
        f"{name} {ours[name]} here, {theirs[name]} on the chief"
        for name in settings.__struct_fields__
        if name in compared and ours[name] not in (theirs[name], "auto")
    ]
    installed = _versions()
    differences += [
        f"{name} {installed[name]} here, {version} on the chief"
        for name, version in plan.versions.items()
        if installed[name] != version
    ]
    return ", ".join(differences)


def _load_same_data(
    plan: TrainingPlan, source: str | None, data_dir: Path | None, progress: Progress
) -> tuple[Dataset | None, str]:
    """Load the chief's data set from this machine. Return it, or None and the reason."""
    name = plan.settings.dataset
    if name not in DATASETS and source is None:
        return None, f"it has no folder of images called {name}: set --dataset to this folder"
    try:
        dataset = load_dataset(source or name, data_dir, progress)
    except EdgeBenchError as cause:
        return None, f"{cause.problem} ({cause.remedy})"
    if dataset.info.sha256 != plan.dataset_sha256:
        return None, f"its {name} differs from the chief's data"
    return dataset, ""
