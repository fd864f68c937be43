"""What entities of routing belong to, made over REST."""

from typing import Any

from api.conftest import Api
from ngcp.provisioning.runtime import Platform

Fields = dict[str, Any]


def seen(api: Api) -> Platform:
    return api.runner.run(api.directory.platform())


def peering_contract(api: Api) -> int:
    contact = api.make("systemcontacts", email="peer@example.net")["id"]
    return int(api.make("contracts", contact_id=contact, type="sippeering")["id"])


def group(api: Api, name: str = "carriers") -> int:
    return int(api.make("peeringgroups", name=name, contract_id=peering_contract(api))["id"])


def rule_set(api: Api, **fields: Any) -> int:  # noqa: ANN401 - any JSON
    return int(api.make("rewriterulesets", **({"name": "austria"} | fields))["id"])


def level(api: Api) -> int:
    return int(api.make("ncoslevels", level="national")["id"])


def carrier(api: Api) -> int:
    return int(api.make("lnpcarriers", name="one", prefix="D1")["id"])


def container(api: Api) -> int:
    return int(api.make("emergencymappingcontainers", name="vienna")["id"])


def level_carrier(api: Api) -> int:
    return int(api.make("ncoslnpcarriers", ncos_level_id=level(api), carrier_id=carrier(api))["id"])
