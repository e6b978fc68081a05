"""How Slack's Web API is called: patiently, within a time limit, and without logging what people write."""

import logging
import sys

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
PASSING = {"", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}  # reasons
quiet = logging.getLogger("bots.slack.sdk")
quiet.setLevel(logging.ERROR)  # lower, Slack's own code logs what people write
_TOLD_AGAIN = 600.0  # seconds until the same trouble with the socket is worth another line


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


class _Calmly(logging.Filter):
    """Why there is no socket, in a line: slack_sdk tries again every few seconds, each time with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}  # when

    def filter(self, record: logging.LogRecord) -> bool:
        error = sys.exc_info()[1]  # of the `except` in which it is logged; not every record has it
        if not isinstance(error, UNREACHABLE):
            return True
        reason = reason_of(error)
        check = "SLACK_APP_TOKEN" if reason else "the network"
        record.msg = f"Slack does not connect us ({reason or type(error).__name__}). Check {check}."
        record.args, record.exc_info = (), None
        if record.created < self._said.get(record.msg, float("-inf")) + _TOLD_AGAIN:
            return False
        self._said[record.msg] = record.created
        return True


socket_log = logging.getLogger(f"{quiet.name}.socket")  # for what connects us, and nothing else
socket_log.addFilter(_Calmly())
