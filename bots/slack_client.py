"""How Slack's Web API is called: patiently, within a time limit, and without logging what people write."""

import logging

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from core.settings import Settings

TIMEOUT = 10  # seconds for one call
UNREACHABLE = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
quiet = logging.getLogger("bots.slack.sdk")
quiet.setLevel(logging.ERROR)  # lower, Slack's own code logs what people write


def make_client(settings: Settings, token: str | None = None) -> AsyncWebClient:
    """The Web API with this token. Without a session of ours, each call opens its own."""
    return AsyncWebClient(
        token, base_url=settings.slack_api_url, timeout=TIMEOUT, logger=quiet, retry_handlers=retry_handlers()
    )


def retry_handlers() -> list[AsyncRetryHandler]:
    """What is tried again: no connection, Slack's own trouble, and too many calls, after the pause that Slack asks."""
    return [
        AsyncConnectionErrorRetryHandler(),
        AsyncServerErrorRetryHandler(),
        AsyncRateLimitErrorRetryHandler(max_retry_count=3),
    ]


def reason_of(error: Exception) -> str:
    """Slack's own word for what is wrong."""
    try:
        return str(error.response["error"]) if isinstance(error, SlackApiError) else ""
    except (KeyError, TypeError):  # no JSON came back
        return ""
