"""What engines are, and what fleet commands have left on them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edge_bench.app.fleet.docker.container import LABEL
from edge_bench.app.fleet.docker.engine import Description, Engine
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.swarm import services

__all__ = ["EngineStatus", "clean", "query_engines"]


@dataclass(frozen=True)
class EngineStatus:
    """One engine: what it is, or why that is not known."""

    setting: EngineSetting
    description: Description | None = None
    left: Sequence[str] = ()  # names of containers, volumes and networks with our label
    images: Sequence[str] = ()  # that fleet commands have sent
    reason: str = ""


def query_engines(engines: Sequence[EngineSetting], timeout: float) -> list[EngineStatus]:
    """All at once; one that cannot be reached has its reason."""
    return _each(engines, timeout, lambda _: None)


def clean(engines: Sequence[EngineSetting], timeout: float, *, remove_image: bool = False) -> list[EngineStatus]:
    """Removes what is left, and says what is there after that."""

    def remove(engine: Engine) -> None:
        if engine.description.swarm_manager:
            services.remove(engine)
        with engine.trouble("cleaning up"):
            label = {"label": LABEL}
            for container in engine.client.containers.list(all=True, filters=label):
                container.remove(v=True, force=True)
            # a swarm's network is the manager's to remove
            for network in engine.client.networks.list(filters=label | {"scope": "local"}):
                network.remove()
            for volume in engine.client.volumes.list(filters=label):
                volume.remove(force=True)
            for image in _sent(engine) if remove_image else []:
                engine.client.images.remove(image)

    return _each(engines, timeout, remove)


def _each(engines: Sequence[EngineSetting], timeout: float, work: Callable[[Engine], None]) -> list[EngineStatus]:
    def one(setting: EngineSetting) -> EngineStatus:
        try:
            with Engine(setting, timeout) as engine:
                work(engine)
                return EngineStatus(setting, engine.description, _left(engine), _sent(engine))
        except EngineTrouble as cause:
            return EngineStatus(setting, reason="; ".join(filter(None, (cause.problem, cause.remedy))))

    with ThreadPoolExecutor(max_workers=max(1, len(engines))) as pool:
        return list(pool.map(one, engines))


def _left(engine: Engine) -> list[str]:
    with engine.trouble("looking around"):
        label = {"label": LABEL}
        return [
            *(str(c.name) for c in engine.client.containers.list(all=True, filters=label)),
            *(str(v.name) for v in engine.client.volumes.list(filters=label)),
            *(str(n.name) for n in engine.client.networks.list(filters=label | {"scope": "local"})),
        ]


def _sent(engine: Engine) -> list[str]:
    with engine.trouble("looking for images"):
        images = engine.client.images.list()
        return sorted(str(tag) for image in images for tag in image.tags if ":fleet-" in tag)
