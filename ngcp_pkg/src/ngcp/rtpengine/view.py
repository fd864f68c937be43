"""What an operator sees of the relay: calls and their streams, counters, interfaces; plain values."""

from collections.abc import Callable, Iterator

from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.service.statistics import Statistics, add_statistics

from .call import Call
from .calls import Calls
from .dialogs import Dialog, Media
from .errors import UnknownCall
from .flows import Address
from .report import Forwarder
from .streams import Stream


class View:
    """Looks at the calls."""

    def __init__(self, calls: Calls, forwarder: Forwarder) -> None:
        self._calls = calls
        self._forwarder = forwarder

    def sessions(self, now: float) -> list[Json]:
        """Return a row for each call."""
        rows: list[Json] = []
        for call_id in self._calls.call_ids():
            call = self._calls.find(call_id)
            rows.append({"call-id": call_id, "age": int(now - call.created), **self._summary(call)})
        return rows

    def session(self, call_id: str) -> list[Json]:
        """Return a row for each local port of a call."""
        try:
            call = self._calls.find(call_id)
        except UnknownCall as error:
            raise CommandError(404, f"no call {call_id}") from error
        return [
            self._port(dialog, side, index, kind, stream)
            for dialog in call.dialogs
            for index, media in sorted(dialog.media.items())
            for side in (0, 1)
            for kind, stream in _streams(media, side)
        ]

    def interfaces(self) -> list[Json]:
        """Return a row for each address."""
        return [
            {"name": interface.name, "address": host, "free": free, "used": used}
            for host, (interface, free, used) in self._calls.interfaces.ports().items()
        ]

    def statistics(self) -> Statistics:
        """Return all counters: since the start, with what is alive now."""
        totals, calls = self._calls.totals, self._calls
        live = [self._forwarder.counters(stream.local) for _, stream in self._all_streams()]
        found: Statistics = {
            "calls": len(calls),
            "calls_total": totals.calls,
            "refused": totals.refused,
            "seconds": round(totals.seconds, 3),
            "packets": totals.packets + sum(one.packets for one in live),
            "bytes": totals.bytes + sum(one.bytes for one in live),
            "errors": totals.errors + sum(one.errors for one in live),
            "streams.one_way": totals.one_way,
            "streams.no_way": totals.no_way,
        }
        found |= {f"commands.{name}": count for name, count in totals.commands.items()}
        found |= {f"ended.{cause}": count for cause, count in totals.ended.items()}
        found |= {f"ports.{host}": free for host, (_, free, _) in calls.interfaces.ports().items()}
        return found | self._flows()

    def _flows(self) -> Statistics:
        """Count the flows by who forwards them."""
        ports = [stream.local for _, stream in self._all_streams()]
        fast = sum(map(self._forwarder.is_fast, ports))
        name = self._forwarder.fast_name
        counted: Statistics = {f"flows.{name}": fast} if name else {}
        return counted | {"flows.user space": len(ports) - fast}

    def _all_streams(self) -> Iterator[tuple[str, Stream]]:
        for call_id in self._calls.call_ids():
            yield from _streams_of(self._calls.find(call_id))

    def _summary(self, call: Call) -> dict[str, Json]:
        """Say who forwards a call, and what its first audio or video stream is like on either side."""
        rtp = [stream for kind, stream in _streams_of(call) if kind == "RTP"]
        fast = {self._forwarder.is_fast(stream.local) for stream in rtp}
        by = "partly" if len(fast) == 2 else self._forwarder.fast_name if True in fast else "user space"
        row: dict[str, Json] = {
            "state": "answered" if any(dialog.is_answered for dialog in call.dialogs) else "offered",
            "forwarded_by": by,
        }
        for name, stream in zip(("caller", "callee"), rtp, strict=False):
            row[name] = _written(stream.target)
            row[f"{name}_packets"] = self._forwarder.counters(stream.local).packets
        return row

    def _port(self, dialog: Dialog, side: int, index: int, kind: str, stream: Stream) -> Json:
        counters = self._forwarder.counters(stream.local)
        is_fast = self._forwarder.is_fast(stream.local)
        return {
            "tag": dialog.sides[side].tag,
            "label": dialog.sides[side].label,
            "section": index + 1,
            "kind": kind,
            "local": _written(stream.local),
            "announced": _written(stream.endpoint.address),
            "learned": _written(stream.learned),
            "crypto": stream.suite,
            "packets": counters.packets,
            "bytes": counters.bytes,
            "errors": counters.errors,
            "forwarded_by": self._forwarder.fast_name if is_fast else "user space",
        }


def make_commands(view: View, clock: Callable[[], float]) -> CommandTable:
    """Return what an operator may ask the daemon."""
    table = CommandTable("ngcp-rtpengine-daemon")

    def sessions() -> list[Json]:
        return view.sessions(clock())

    table.add("list.sessions", sessions, "all calls, who forwards them, packets each way")
    table.add("list.session", view.session, "CALL-ID: every port of a call, where its peer announced and is")
    table.add("list.interfaces", view.interfaces, "addresses of the interfaces, and their pairs of ports")
    add_statistics(table, view.statistics)
    return table


def _streams(media: Media, side: int) -> tuple[tuple[str, Stream], tuple[str, Stream]]:
    return ("RTP", media.rtp.streams[side]), ("RTCP", media.rtcp.streams[side])


def _streams_of(call: Call) -> Iterator[tuple[str, Stream]]:
    for dialog in call.dialogs:
        for _, media in sorted(dialog.media.items()):
            for side in (0, 1):
                yield from _streams(media, side)


def _written(address: Address | None) -> str:
    if address is None:
        return ""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
