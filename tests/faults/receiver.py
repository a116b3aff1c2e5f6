"""A receiver of webhooks that behaves badly on purpose, and remembers everything.

In: requests under `/CASE`, how that case behaves.  Out: what was posted, what was taken, how often.  Always: a real
server on the loopback; a contact counts as taken when the receiver has acted on it, whatever it answered then; one that
`honours` keys acts on each key once.

    with receiving() as receiver:
        receiver.cases["7"] = Case("reset", honours=False)
        receiver.url("7")
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BEHAVIOURS = (
    "ok", "per item", "409", "422", "401", "429", "503", "500 done", "500 not done", "half a body", "reset", "late",
)  # fmt: skip
"""What the first request of a case meets; later ones are taken. `422`: every request with the bad contact."""
BAD = "bad"
"""The customer whom the receiver never takes, in the cases that have one."""


@dataclass
class Post:
    """One request."""

    id: str
    keys: tuple[str, ...]
    body: bytes
    headers: dict[str, str]


@dataclass
class Case:
    """One case: what was posted, and how often each contact was acted on. `pause`: seconds that each request takes."""

    behaviour: str
    honours: bool
    pause: float = 0.0
    posts: list[Post] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, keys: tuple[str, ...] | list[str]) -> None:
        for key in keys:
            if not (self.honours and key in self.taken):
                self.taken[key] += 1


@dataclass
class Receiver:
    """A running receiver."""

    port: int
    cases: dict[str, Case] = field(default_factory=dict)

    def url(self, case: str) -> str:
        return f"http://127.0.0.1:{self.port}/{case}"


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            case = receiver.cases[self.path.strip("/")]
            with case.lock:
                behave(self, case, body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who posted may be gone by now."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def behave(handler: BaseHTTPRequestHandler, case: Case, body: bytes) -> None:
    time.sleep(case.pause)
    contacts = json.loads(body)["contacts"]
    keys = tuple(each["key"] for each in contacts)
    bad = [each["key"] for each in contacts if each["customer"] == BAD]
    is_first = not case.posts
    case.posts.append(Post(handler.headers["Idempotency-Key"], keys, body, dict(handler.headers)))
    match case.behaviour if is_first or case.behaviour in ("422", "per item") else "ok":
        case "422" if bad:
            answer(handler, 422 if len(keys) == 1 else 400)
        case "per item":
            case.take([key for key in keys if key not in bad])
            results = [{"key": key, "status": 422 if key in bad else 200} for key in keys]
            answer(handler, 207, {"results": results})
        case "409":
            case.take(keys)
            answer(handler, 409)
        case "401":
            answer(handler, 401)
        case "429":
            answer(handler, 429, after="7")
        case "503":
            answer(handler, 503)
        case "500 done":
            case.take(keys)
            answer(handler, 500)
        case "500 not done":
            answer(handler, 500)
        case "half a body":
            case.take(keys)
            handler.wfile.write(
                b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"results": ['
            )
            gone(handler)
        case "reset":
            case.take(keys)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone(handler)
        case "late":
            case.take(keys)
            handler.connection.settimeout(10)
            handler.rfile.read(1)
            gone(handler)
        case _:
            case.take(keys)
            answer(handler, 200)


def answer(handler: BaseHTTPRequestHandler, status: int, body: object = None, after: str | None = None) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    if after is not None:
        handler.send_header("Retry-After", after)
    handler.end_headers()
    handler.wfile.write(content)


def gone(handler: BaseHTTPRequestHandler) -> None:
    """End the connection as it is."""
    handler.close_connection = True
    os.close(handler.connection.detach())
