"""Slack's Web API and response URLs, in a process of their own: `python slack_api.py` prints its port.

Takes everything at once and notes when it came. What was posted is looked at afterwards (`/seen`), so that looking
takes nothing from the bot; `/count` tells how many answers came so far. Slack's own limits are not imitated.
"""

import asyncio
import time
from collections import Counter
from typing import Any

from aiohttp import web
from fake_slack import BOT, TEAM, problems

from core.words import say

_BUSY = {say("error.busy", "nl"), say("error.busy", "en")}


class SlackApi:
    """What was said in Slack, when, and under which name: that of a thread, a channel or a response URL."""

    def __init__(self) -> None:
        self._answers: list[tuple[str, float, dict[str, Any]]] = []
        self._calls: Counter[str] = Counter()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/response/{name}", self._response)
        app.router.add_get("/count", self._count)
        app.router.add_get("/seen", self._seen)
        return app

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self._calls[method] += 1
        match method:
            case "auth.test":
                return _ok(user_id=BOT, bot_id="B0BOT", team_id=TEAM, team="Kievit")
            case "users.info":
                asked = {**request.query, **await request.post()}
                return _ok(user={"id": asked["user"], "locale": "nl-NL"})
            case "chat.postMessage":
                message = await request.json()
                self._note(message.get("thread_ts") or message["channel"], message)
                return _ok(channel=message["channel"], ts=f"9000.{self._calls[method]:06}")
        return _ok()

    async def _response(self, request: web.Request) -> web.Response:
        self._calls["response_url"] += 1
        self._note(request.match_info["name"], await request.json())
        return web.Response(text="ok")

    def _note(self, name: str, message: dict[str, Any]) -> None:
        if message["text"] not in _BUSY:
            self._answers.append((name, time.monotonic(), message))

    async def _count(self, request: web.Request) -> web.Response:
        return web.json_response(len(self._answers))

    async def _seen(self, request: web.Request) -> web.Response:
        """Which answers came when, how many show an article, and what Slack would refuse of them."""
        blocks = [message.get("blocks") or [] for *_, message in self._answers]
        seen = {
            "answers": [(name, at) for name, at, _ in self._answers],
            "articles": sum(any(block["type"] == "header" for block in shown) for shown in blocks),
            "refused": [found for shown in blocks for found in (problems(shown) if shown else ["no blocks"])],
            "calls": self._calls,
        }
        return web.json_response(seen)


def _ok(**said: Any) -> web.Response:
    return web.json_response({"ok": True} | said)


async def main() -> None:
    runner = web.AppRunner(SlackApi().app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201 - for whoever started us
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
