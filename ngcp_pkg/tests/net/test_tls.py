"""Certificates and handshakes: what fails, what is counted, what a reload changes and what it does not."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from net.certificate import write_certificate
from net.loop import run, until
from net.test_stream import MESSAGE, serving
from ngcp.net.admission import Limits
from ngcp.net.tls import BadCertificate, Certificate


def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_message_of_many_records_and_an_answer(tmp_path: Path, version: ssl.TLSVersion) -> None:
    """Records hold 16 KiB; what OpenSSL has read ahead shows in no poll."""
    files = write_certificate(tmp_path)
    body = bytes(range(256)) * 200
    message = b"MESSAGE sip:a SIP/2.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def test() -> None:
        log, server, address = serving(certificate=Certificate(*files))
        context = trusting(files[0])
        context.minimum_version = context.maximum_version = version
        reader, writer = await asyncio.open_connection(*address, ssl=context)
        writer.write(message * 3)
        await until(lambda: len(log.messages) == 3)

        assert [data for data, _ in log.messages] == [message] * 3
        assert server.send(message * 4, log.opened[0].remote), "more than the socket takes at once"
        assert await reader.readexactly(len(message) * 4) == message * 4
        writer.transport.abort()
        server.close()

    run(test)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n", "plain_text"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "plain_text"),
        (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00" + bytes(200), "other"),
    ],
    ids=["SIP", "HTTP", "nonsense"],
)
def test_what_is_no_tls_is_hung_up_on_and_counted(tmp_path: Path, words: bytes, why: str) -> None:
    files = write_certificate(tmp_path)

    async def test() -> None:
        log, server, address = serving(certificate=Certificate(*files))
        reader, writer = await asyncio.open_connection(*address)
        writer.write(words)
        with contextlib.suppress(ConnectionResetError):  # what it said was not read to its end
            await reader.read()
        await until(lambda: log.counters.total() > 0)

        assert log.counters == {f"tls.failed.{why}": 1}
        assert (log.opened, log.messages, len(server)) == ([], [], 0)
        writer.close()
        server.close()

    run(test)


def test_a_client_with_an_old_version_only_is_counted(tmp_path: Path) -> None:
    files = write_certificate(tmp_path)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1

    async def test() -> None:
        log, server, address = serving(certificate=Certificate(*files))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(*address, ssl=client)
        await until(lambda: log.counters.total() > 0)

        assert log.counters == {"tls.failed.old_version": 1}
        server.close()

    run(test)


def test_a_handshake_that_does_not_go_on_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow-loris, before there is a message."""
    files = write_certificate(tmp_path)
    monkeypatch.setattr("ngcp.net.stream.SWEEP", 0.01)

    async def test() -> None:
        log, server, address = serving(Limits(first_message=0.02), Certificate(*files))
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"\x16\x03\x01")
        assert await reader.read() == b""
        assert log.counters == {"connections.overstayed": 1}
        assert log.failed == [], "the core never knew of it"
        writer.close()
        server.close()

    run(test)


def test_a_new_certificate_is_for_new_connections(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for directory in (old, new):
        directory.mkdir()
    files = write_certificate(old)
    certificate = Certificate(*files)

    async def test() -> None:
        log, server, address = serving(certificate=certificate)
        first = trusting(files[0])
        reader, writer = await asyncio.open_connection(*address, ssl=first)
        for path, content in zip(files, write_certificate(new), strict=True):
            path.write_bytes(content.read_bytes())
        certificate.reload()

        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(*address, ssl=first)
        _, other = await asyncio.open_connection(*address, ssl=trusting(files[0]))
        writer.write(MESSAGE)
        await until(lambda: len(log.messages) == 1)
        assert server.send(b"answer", log.messages[0][1].remote)
        assert await reader.readexactly(6) == b"answer", "the old connection lives on"
        for each in (writer, other):
            each.transport.abort()
        server.close()

    run(test)


def test_a_broken_certificate_keeps_the_old_one_and_names_the_file(tmp_path: Path) -> None:
    files = write_certificate(tmp_path)
    certificate = Certificate(*files)
    context = certificate.context
    (tmp_path / "other").mkdir()
    foreign = write_certificate(tmp_path / "other")[1]

    for path, content, problem in (
        (files[0], b"", f"{files[0]}: no PEM file with a certificate in it"),
        (files[1], b"x", f"{files[1]}: no PEM file with a private key in it"),
        (files[1], foreign.read_bytes(), "the key is not that of the certificate"),
        (files[0], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", str(files[0])),
    ):
        good = path.read_bytes()
        path.write_bytes(content)
        with pytest.raises(BadCertificate, match=problem):
            certificate.reload()
        assert certificate.context is context
        path.write_bytes(good)
    files[1].unlink()
    with pytest.raises(BadCertificate, match=f"{files[1]}: No such file or directory"):
        certificate.reload()


def test_a_key_under_a_passphrase_asks_nobody(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, passphrase=b"secret")

    with pytest.raises(BadCertificate, match=str(key)):
        Certificate(certificate, key)
