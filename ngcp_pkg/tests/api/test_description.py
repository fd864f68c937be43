"""What `/api/` says is what may be asked for."""

from typing import Any

import pytest

from api.conftest import Api
from ngcp.api.roles import PERMISSIONS
from ngcp.provisioning.principals import CUSTOMERS

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def become(api: Api, role: str, **values: int) -> None:
    """Give the client a role, at the provider's own reseller."""
    role_id = f"(SELECT id FROM billing.acl_roles WHERE role = '{role}')"
    assignments = {"role_id": role_id, "reseller_id": "1", **values}
    api.database.run(f"UPDATE billing.admins SET {', '.join(f'{k} = {v}' for k, v in assignments.items())}")


def paths(api: Api, query: str = "") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = api.get(f"/api/{query}")["paths"]
    return found


@pytest.mark.parametrize("role", ["system", *sorted(PERMISSIONS.keys() - CUSTOMERS)])
def test_what_is_described_is_allowed_and_nothing_else(api: Api, role: str) -> None:
    known = paths(api)
    become(api, role)
    described = paths(api)
    for path, operations in known.items():
        for method in METHODS:
            if method.lower() in operations:
                response = api.ask(method, path.format(number=99999, id="nobody"))
                is_refused = "not for your role" in response.text
                assert is_refused == (method.lower() not in described.get(path, {})), (method, path)


def test_who_may_only_read_is_told_of_reading_only(api: Api) -> None:
    become(api, "admin", read_only=1)
    assert {method for operations in paths(api).values() for method in operations} == {"get"}


def test_the_description_is_where_the_platform_has_it(api: Api) -> None:
    assert paths(api, "?swagger=true") == paths(api)
