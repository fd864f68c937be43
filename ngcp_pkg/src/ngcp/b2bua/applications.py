"""The applications that talk, by the names that the proxy has for them."""

from collections.abc import Callable, Mapping
from functools import partial

from ngcp.sip.core.agent import UserAgent
from ngcp.voice.application import Answering, Application
from ngcp.voice.conversation import Conversation, Listener
from ngcp.voice.prompts import Files
from ngcp.voice.registry import Registry
from ngcp.voice.stage import Stage

from .announcement import announce
from .conference import Conferences
from .service_code import Services, confirm


def make_applications(
    stage: Stage, services: Services, files: Files, agent: UserAgent, registry: Registry
) -> Mapping[str, Application]:
    """Return all of them; `services` carry service codes out, `files` are what is said of them."""
    conferences = Conferences(stage)
    served: dict[str, Callable[[Conversation, float], Listener]] = {
        "conference": conferences.begin,
        "early_announce": partial(announce, stage),
        "vsc": partial(confirm, stage, services, files),
    }
    return {name: Answering(agent, registry, begin) for name, begin in served.items()}
