"""The applications, by the names that the proxy has for them."""

from collections.abc import Callable, Mapping
from functools import partial

from ngcp.sip.core.agent import UserAgent
from ngcp.voice.application import Answering, Application
from ngcp.voice.conversation import Conversation, Listener
from ngcp.voice.registry import Registry

from .deposit import take_message
from .office import Office
from .retrieval import open_mailbox


def make_applications(office: Office, agent: UserAgent, registry: Registry) -> Mapping[str, Application]:
    """Return all of them."""
    served: dict[str, Callable[[Conversation, float], Listener]] = {
        "mailbox": partial(open_mailbox, office),
        "voicebox": partial(take_message, office),
    }
    return {name: Answering(agent, registry, begin) for name, begin in served.items()}
