"""A client of the node's REST API, as a provisioning system is one: HTTPS, basic authentication, JSON."""

import base64
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import Any, Final

from lab import network
from lab.errors import LabError

PORT: Final = 1443
USER: Final = "administrator"
TIMEOUT: Final = 30.0
#: Seconds for which 503 is believed to pass: an emulated node that has just booted has a slow database.
BUSY: Final = 60.0

#: A JSON object, as the API takes and gives it.
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    #: By their names in lower case.
    headers: dict[str, str]
    body: Json


@dataclass(frozen=True, slots=True)
class RestClient:
    """Speaks to the API of one node as its administrator."""

    address: str
    password: str

    def request(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Answer:
        """Make one request, with bytes or with what becomes JSON; any status is an answer."""
        login = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/hal+json"}
        if body is not None:
            headers["Content-Type"] = kind
        # The node signed its own certificate at first boot: there is nothing to check it against.
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(self.address, PORT, timeout=TIMEOUT, context=context)
        try:
            with network.inside():
                connection.connect()
            content = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            text = response.read()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, json.loads(text) if text else {})
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise LabError(f"{method} https://{self.address}:{PORT}{path}: {problem}") from None
        finally:
            connection.close()

    def create(self, collection: str, item: Json) -> int:
        """Add an item to a collection and return its number; a node that is busy is asked again."""
        path = f"/api/{collection}/"
        answer = self.request("POST", path, item)
        deadline = time.monotonic() + BUSY
        while answer.status == http.client.SERVICE_UNAVAILABLE and time.monotonic() < deadline:
            time.sleep(2.0)
            answer = self.request("POST", path, item)
        if answer.status != http.client.CREATED:
            raise LabError(f"POST {path}: {answer.status} {answer.body}")
        return int(answer.headers["location"].rpartition("/")[2])

    def find(self, collection: str, query: str = "") -> list[Json]:
        """List the items of a collection that match a query, the first hundred."""
        path = f"/api/{collection}/?rows=100{query and '&' + query}"
        answer = self.request("GET", path)
        if answer.status != http.client.OK:
            raise LabError(f"GET {path}: {answer.status} {answer.body}")
        items = answer.body.get("_embedded", {}).get(f"ngcp:{collection}", [])
        return list(items)
