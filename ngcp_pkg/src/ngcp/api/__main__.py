"""The daemon: HTTPS over the application."""

import asyncio
import os
import pwd
import sys
from pathlib import Path
from typing import Final

from ngcp.api.app import make_app
from ngcp.api.certificates import Authority
from ngcp.api.config import Config, load
from ngcp.api.load_balancer import LoadBalancerControl
from ngcp.api.proxy import ProxyControl
from ngcp.api.server import bind, make_server
from ngcp.provisioning.engine import connect
from ngcp.service.frame import run

CONFIG: Final = Path("/etc/ngcp-api/api.yml")


class ApiService:
    """The API as its frame sees it."""

    def __init__(self, config: Config) -> None:
        self._listen = config.listen
        user = pwd.getpwuid(os.geteuid()).pw_name
        self._engine = connect(config.database.socket, user, config.database.timeout)
        proxy = ProxyControl(config.proxy_xmlrpc, config.other_proxies_xmlrpc, config.b2bua_xmlrpc)
        load_balancer = LoadBalancerControl(config.lb_xmlrpc, config.failed_auth_attempts)
        authority = Authority(config.state)
        app = make_app(self._engine, proxy, load_balancer, authority, config.speed_dial_slots)
        self._server = make_server(app, config.listen, authority.path)
        self._serving: asyncio.Task[None] | None = None
        self.port = config.listen.port

    async def start(self) -> None:
        """Return once HTTPS is served, on the port that is then in `port`."""
        listening = bind(self._listen)
        self.port = listening[0].getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(listening))
        while not self._server.started:
            await asyncio.wait((self._serving,), timeout=0.01)
            if self._serving.done():
                self._serving.result()
                raise OSError("the HTTPS server has stopped")

    async def stop(self) -> None:
        """End what is under way, then let go of the database."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        await self._engine.dispose()

    def status(self) -> str:
        """Say how much was asked."""
        return f"{self._server.server_state.total_requests} requests"


def main() -> int:
    """Be the daemon."""
    return run("ngcp-api", load=load, build=ApiService, default=CONFIG)


if __name__ == "__main__":
    sys.exit(main())
