"""Webhooks: windows of contacts, posted as JSON to one address.

In: rows of one batch, window by window.  Out: what the receiver answered, as an `Answer`.  Always: TLS is verified and
nothing is redirected; the stored bytes are posted as they are, under an `Idempotency-Key` that is the same for the same
contacts, each of which carries its own; the request is signed as Standard Webhooks has it; secrets come from the
environment; what the receiver writes gets into no message.

    {"batch":"…","contacts":[{"action":"winback_coupon","address":"…","key":"…",…}]}
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError, SSLError
from urllib3.util import Url, parse_url

from segrules.effects import Effect
from segrules.errors import Refused
from segrules.plan.sinks.protocol import (
    Answer,
    Delivered,
    Each,
    Outcome,
    Outgoing,
    Rejected,
    Request,
    Retry,
    Row,
    Split,
    Stop,
    Unsure,
    trouble,
)
from segrules.plan.sinks.settings import filled, number, seconds, secret, written

DELIVERY = ("at_most_once", "at_least_once")
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_MOST = 16 * 1024 * 1024
_SECRET = "whsec_"
_NO_TLS = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "HANDSHAKE_FAILURE", "HOSTNAME")

AT_FAULT = frozenset({400, 404, 410, 413, 422})
"""Answers that blame what was posted."""
NOT_NOW = frozenset({408, 425, 429, 503})
"""Answers that say it was not taken, and may be later."""
DUPLICATE = 409


@dataclass(frozen=True, slots=True)
class WebhookSink:
    """`secrets` sign, one after the other in one header, so that a receiver can change from one to the next."""

    name: str
    url: str = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)
    authorization: str | None = field(repr=False)
    again: bool
    size: int
    attempts: int
    seconds: int
    pool: urllib3.PoolManager = field(repr=False)
    effect: Effect = field(repr=False)
    now: Callable[[], float] = field(repr=False, default=time.time)

    @staticmethod
    def of(name: str, settings: Mapping[str, object], folder: Path, effect: Effect) -> WebhookSink:
        delivery = written(name, settings, "delivery", DELIVERY[0])
        if delivery not in DELIVERY:
            raise trouble("P953", Refused, name, format=delivery, formats=", ".join(DELIVERY))
        seconds_ = seconds(name, settings, "timeout", 30, 600)
        names = [*_texts(settings.get("secret")), *_texts(settings.get("secrets"))]
        return WebhookSink(
            name=name,
            url=_address(name, filled(name, settings, "url")),
            secrets=tuple(_secret(name, secret(name, each)) for each in names),
            authorization=next((secret(name, each) for each in _texts(settings.get("authorization"))), None),
            again=delivery == "at_least_once",
            size=number(name, settings, "batch", 100, 1, 10_000),
            attempts=number(name, settings, "attempts", 5, 1, 100),
            seconds=seconds_,
            pool=urllib3.PoolManager(
                cert_reqs="CERT_REQUIRED",
                retries=False,
                timeout=urllib3.Timeout(connect=min(seconds_, 10), read=seconds_),
            ),
            effect=effect,
        )

    def check(self, batches: Sequence[Outgoing]) -> None:
        """The settings are right, or there would be no sink; nothing is posted to find out more."""

    def request(self, batch: Outgoing, rows: Sequence[Row]) -> Request:
        keys = tuple(row.key for row in rows)
        named = hashlib.sha256("\n".join((batch.id, *keys)).encode()).hexdigest()[:32]
        contacts = b",".join(row.body for row in rows)
        return Request(named, b'{"batch":%b,"contacts":[%b]}' % (json.dumps(batch.id).encode(), contacts), keys)

    def post(self, request: Request) -> Answer:
        try:
            return self.effect("webhook.post", partial(self._post, request))
        except OSError:
            return Unsure("no answer")

    def _post(self, request: Request) -> Answer:
        try:
            response = self.pool.request(
                "POST",
                self.url,
                body=request.body,
                headers=self._headers(request),
                redirect=False,
                preload_content=False,
            )
        except (NewConnectionError, ConnectTimeoutError):
            return Retry("no connection")
        except (HTTPError, OSError) as error:
            return Stop("tls") if _before_anything(error) else Unsure("no answer")
        try:
            return answer(response.status, response.headers, self._body(response), request.keys, self.now())
        except (HTTPError, OSError, ValueError):
            return Unsure("half an answer")
        finally:
            response.release_conn()

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """What was answered, to its end, within the time and size that an answer may take."""
        until = self.now() + self.seconds
        found = bytearray()
        while chunk := response.read(65_536, decode_content=True):
            found += chunk
            if len(found) > _MOST or self.now() > until:
                response.close()
                raise ValueError
        return bytes(found)

    def _headers(self, request: Request) -> dict[str, str]:
        found = {"Content-Type": "application/json", "Idempotency-Key": request.id, "User-Agent": "segrules"}
        if self.authorization is not None:
            found["Authorization"] = self.authorization
        if self.secrets:
            found |= signed(request, self.secrets, int(self.now()))
        return found


def signed(request: Request, secrets: Sequence[bytes], at: int) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    content = b"%b.%d.%b" % (request.id.encode(), at, request.body)
    digests = (hmac.digest(secret, content, "sha256") for secret in secrets)
    return {
        "webhook-id": request.id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in digests),
    }


def answer(status: int, headers: Mapping[str, str], body: bytes, keys: Sequence[str], now: float) -> Answer:
    """What a status and a body say about a window."""
    match status:
        case _ if 200 <= status < 300:
            return _per_contact(headers, body, keys)
        case _ if status in AT_FAULT:
            return Split(f"answer {status}") if len(keys) > 1 else Rejected(f"answer {status}")
        case _ if status < 500 and status not in (DUPLICATE, *NOT_NOW):
            return Stop(f"answer {status}")
        case _:
            return _outcome(status, headers.get("Retry-After"), now)


def _outcome(status: int, after: str | None = None, now: float = 0.0) -> Outcome:
    match status:
        case _ if 200 <= status < 300 or status == DUPLICATE:
            return Delivered()
        case _ if status in AT_FAULT:
            return Rejected(f"answer {status}")
        case _ if status in NOT_NOW:
            return Retry(f"answer {status}", _seconds(after, now))
        case _:
            return Unsure(f"answer {status}")


def _per_contact(headers: Mapping[str, str], body: bytes, keys: Sequence[str]) -> Answer:
    """`{"results": [{"key": …, "status": 422}, …]}`, or anything else for all of them."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        is_json = "json" in headers.get("Content-Type", "").lower() and body.strip()
        return Unsure("half an answer") if is_json else Delivered()
    results = found.get("results") if isinstance(found, dict) else None
    if not isinstance(results, list):
        return Delivered()
    said = {
        each["key"]: each["status"]
        for each in results
        if isinstance(each, dict) and isinstance(each.get("key"), str) and type(each.get("status")) is int
    }
    return Each({key: _outcome(said[key]) if key in said else Unsure("not in the answer") for key in keys})


def _seconds(after: str | None, now: float) -> float | None:
    """`Retry-After`: seconds, or a date."""
    if not after:
        return None
    if after.strip().isdecimal():
        return float(after.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(after).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _before_anything(error: Exception) -> bool:
    """Whether the two sides could not even agree to speak TLS, so that nothing was sent."""
    said = str(error).upper().replace(" ", "_")
    return isinstance(error, SSLError) and any(each in said for each in _NO_TLS)


def _texts(value: object) -> tuple[str, ...]:
    match value:
        case str():
            return (value,)
        case tuple() | list():
            return tuple(str(each) for each in value)
        case _:
            return ()


def _secret(sink: str, text: str) -> bytes:
    """`whsec_` and Base64, or the text itself."""
    if not text.startswith(_SECRET):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_SECRET), validate=True)
    except binascii.Error:
        raise trouble("P971", Refused, sink) from None


def _address(sink: str, text: str) -> str:
    """An address that may be posted to: `https`, or a server on this machine."""
    try:
        url = parse_url(text)
    except LocationValueError:
        url = Url()
    if not url.host or url.auth or not (url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK)):
        raise trouble("P970", Refused, sink)
    return text
