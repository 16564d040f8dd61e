"""The status of engines, and leftovers of fleet commands on them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edge_bench.app.fleet.docker.container import LABEL
from edge_bench.app.fleet.docker.engine import Description, Engine
from edge_bench.app.fleet.docker.errors import EngineTrouble, one_line
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.swarm import services

__all__ = ["EngineStatus", "clean", "query_engines"]

_LABEL = {"label": LABEL}
#: A swarm's networks can only be removed by its manager.
_LOCAL_LABEL = {"label": LABEL, "scope": "local"}


@dataclass(frozen=True)
class EngineStatus:
    """One engine: its description, or the reason why there is none."""

    setting: EngineSetting
    description: Description | None = None
    left: Sequence[str] = ()  # names of containers, volumes and networks with the label of fleet commands
    images: Sequence[str] = ()  # tags of images that fleet commands have sent
    reason: str = ""


def query_engines(engines: Sequence[EngineSetting], timeout: float) -> list[EngineStatus]:
    """Query all engines at the same time. The status of an unreachable engine contains the reason."""
    return _for_each(engines, timeout, lambda _: None)


def clean(engines: Sequence[EngineSetting], timeout: float, *, remove_image: bool = False) -> list[EngineStatus]:
    """Remove the leftovers of fleet commands from the engines, and return their status afterwards."""

    def remove(engine: Engine) -> None:
        if engine.description.swarm_manager:
            services.remove(engine)
        with engine.trouble("cleaning up"):
            for container in engine.client.containers.list(all=True, filters=_LABEL):
                container.remove(v=True, force=True)
            for network in engine.client.networks.list(filters=_LOCAL_LABEL):
                network.remove()
            for volume in engine.client.volumes.list(filters=_LABEL):
                volume.remove(force=True)
            for image in _sent_images(engine) if remove_image else []:
                engine.client.images.remove(image)

    return _for_each(engines, timeout, remove)


def _for_each(engines: Sequence[EngineSetting], timeout: float, work: Callable[[Engine], None]) -> list[EngineStatus]:
    def status_of(setting: EngineSetting) -> EngineStatus:
        try:
            with Engine(setting, timeout) as engine:
                work(engine)
                return EngineStatus(setting, engine.description, _leftovers(engine), _sent_images(engine))
        except EngineTrouble as cause:
            return EngineStatus(setting, reason="; ".join(filter(None, (cause.problem, cause.remedy))))

    with ThreadPoolExecutor(max_workers=max(1, len(engines))) as pool:
        return list(pool.map(status_of, engines))


def _leftovers(engine: Engine) -> list[str]:
    with engine.trouble("listing leftovers"):
        return [
            *(one_line(c["Names"][0].lstrip("/"), 80) for c in engine.client.api.containers(all=True, filters=_LABEL)),
            *(one_line(v.name, 80) for v in engine.client.volumes.list(filters=_LABEL)),
            *(one_line(n.name, 80) for n in engine.client.networks.list(filters=_LOCAL_LABEL)),
        ]


def _sent_images(engine: Engine) -> list[str]:
    with engine.trouble("listing images"):
        images = engine.client.api.images()  # images.list() would make one more request per image
        return sorted(one_line(tag, 200) for image in images for tag in image["RepoTags"] or () if ":fleet-" in tag)
