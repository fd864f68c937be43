"""Requests that a client transaction makes out of its own: ACK of a failure (§17.1.1.3) and CANCEL (§9.1)."""

from ..syntax.message import Request, Response


def ack_for(invite: Request, response: Response) -> Request:
    """Acknowledge a final response other than 2xx; the ACK of a 2xx is not the transaction's."""
    return _hop_request("ACK", invite, response.first("to"))


def cancel_for(invite: Request) -> Request:
    """Cancel an INVITE that got a provisional response."""
    return _hop_request("CANCEL", invite, invite.first("to"))


def _hop_request(method: str, invite: Request, to: str) -> Request:
    lines = [
        f"Via: {invite.first('via')}",
        "Max-Forwards: 70",
        *(f"Route: {value}" for value in invite.all("route")),
        f"From: {invite.first('from')}",
        f"To: {to}",
        f"Call-ID: {invite.call_id}",
        f"CSeq: {invite.cseq.number} {method}",
        "Content-Length: 0",
    ]
    return Request(method, invite.uri, lines)
