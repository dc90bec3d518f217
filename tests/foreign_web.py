"""Somebody's web server on loopback that says exactly the bytes a test wants, however wrong, slow or endless."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Behaviour = Callable[[socket.socket], None]
"""What the server does with a connection once it has read a request."""


def page(
    body: bytes, content_type: str = "text/html", status: str = "200 OK", headers: tuple[str, ...] = ()
) -> Behaviour:
    """A plain, good answer."""
    about = [f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return says(f"HTTP/1.1 {status}\r\n".encode() + "".join(f"{line}\r\n" for line in about).encode() + b"\r\n" + body)


def redirect(location: str, status: str = "302 Found") -> Behaviour:
    """An answer that leads elsewhere."""
    return says(f"HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())


def says(*parts: bytes, every: float = 0.0) -> Behaviour:
    """These bytes, one part after the other, with so many seconds between."""

    def behave(line: socket.socket) -> None:
        for part in parts:
            line.sendall(part)
            if every:
                threading.Event().wait(every)

    return behave


def forever(head: bytes, part: bytes, every: float = 0.0) -> Behaviour:
    """`head`, and then `part` again and again."""

    def behave(line: socket.socket) -> None:
        line.sendall(head)
        while True:
            line.sendall(part)
            if every:
                threading.Event().wait(every)

    return behave


@dataclass
class ForeignWeb:
    """The server. `paths` says how it behaves where; `asked` are the requests it read, `sent` what it can count."""

    host: str
    port: int
    paths: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        """Its address, by number."""
        return f"{'http' if self.tls is None else 'https'}://{self.host}:{self.port}"

    def answer(self, line: socket.socket) -> None:
        """Read one request and behave."""
        with suppress(OSError), line:
            line.settimeout(10)
            if self.tls is not None:
                line = self.tls.wrap_socket(line, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                got = line.recv(65536)
                if not got:
                    return
                head += got
            self.asked.append(head.decode("latin-1"))
            behave = self.paths.get(head.split(b" ")[1].decode("latin-1").partition("?")[0])
            (behave or page(b"no", status="404 Not Found"))(line)
            line.close()


@contextmanager
def foreign_web(host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[ForeignWeb]:
    """Run one, each connection in a thread of its own."""
    with socket.create_server((host, port)) as listener:
        web = ForeignWeb(host, listener.getsockname()[1], tls=tls)

        def serve() -> None:
            with suppress(OSError):  # closed: the end
                while True:
                    line, _ = listener.accept()
                    threading.Thread(target=web.answer, args=(line,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield web
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def certified(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side of TLS for `name`, and a client's side that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = folder / f"{name}.pem"
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    client = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"))
    return server, client
