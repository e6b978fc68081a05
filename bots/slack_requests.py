"""Requests over HTTP, let in or turned away. Only what Slack signed is looked into."""

import asyncio
import logging
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from slack_sdk.signature import SignatureVerifier

log = logging.getLogger(__name__)

MAX_BODY = 512 * 1024  # bytes; a tap brings the whole message along, percent-encoded
_CONTENT_TYPES = {"application/json", "application/x-www-form-urlencoded"}
_BODY_WITHIN = 10.0  # seconds; Slack itself gives up after three
_BROKEN_BODY = (OSError, aiohttp.ClientError, HttpProcessingError, web.RequestPayloadError)


class Door:
    """Lets in what was signed with this secret."""

    def __init__(self, secret: str) -> None:
        """Without a secret it stays shut: then there is Socket Mode only."""
        self._verifier = SignatureVerifier(secret) if secret.strip() else None
        self._warned = False

    async def body(self, request: web.Request) -> bytes:
        """What a request says; raises the response to one that may not come in."""
        if self._verifier is None:
            raise web.HTTPNotFound
        if request.content_type not in _CONTENT_TYPES:
            raise web.HTTPUnsupportedMediaType
        raw = await _read(request)
        if not _is_signed(self._verifier, raw, request.headers):
            self._warn()
            raise web.HTTPUnauthorized
        return raw

    def _warn(self) -> None:
        """Once: strangers knock too."""
        if not self._warned:
            self._warned = True
            log.warning(
                "A request was not signed with SLACK_SIGNING_SECRET. If it was Slack's: copy the Signing Secret again "
                "from Basic Information."
            )


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(_BODY_WITHIN):
            return await request.clone(client_max_size=MAX_BODY).read()  # raises 413
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except _BROKEN_BODY as error:
        raise web.HTTPBadRequest from error


def _is_signed(verifier: SignatureVerifier, raw: bytes, headers: Mapping[str, str]) -> bool:
    try:
        return verifier.is_valid_request(raw, dict(headers))
    except (ValueError, TypeError):  # a timestamp that is no number, a body or signature that is no text
        return False
