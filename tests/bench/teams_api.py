"""Teams' Connector and Microsoft's signing keys, in a process of their own: `python teams_api.py` prints its port.

Takes everything at once and notes when it came. What was posted is looked at afterwards (`/seen`), so that looking
takes nothing from the bot; `/count` tells how many answers came so far. `/token` signs for whoever plays Teams, whose
real tokens serve for an hour too.
"""

import asyncio
import json
import time
from collections import Counter
from typing import Any

from aiohttp import web
from fake_connector import KeyServer, token

from core.words import say

_BUSY = {say("error.busy", "nl"), say("error.busy", "en")}
_MOST, _MOST_IN_CARD = 80 * 1024, 28 * 1024  # bytes


class TeamsApi:
    """What was said in Teams, when, and where: in which conversation, or in place of which message."""

    def __init__(self, keys: KeyServer) -> None:
        self._keys = keys
        self._answers: list[tuple[str, float, dict[str, Any]]] = []
        self._calls: Counter[str] = Counter()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/openid", self._openid)
        app.router.add_get("/token", self._token)
        app.router.add_post("/v3/conversations", self._open)
        activities = "/v3/conversations/{conversation}/activities"
        app.router.add_post(activities, self._post)
        app.router.add_post(activities + "/{id}", self._post)
        app.router.add_put(activities + "/{id}", self._put)
        app.router.add_delete(activities + "/{id}", self._delete)
        app.router.add_get("/count", self._count)
        app.router.add_get("/seen", self._seen)
        return app

    async def _openid(self, request: web.Request) -> web.Response:
        return web.json_response({"issuer": "https://api.botframework.com", "jwks_uri": f"{self._keys.url}/keys"})

    async def _token(self, request: web.Request) -> web.Response:
        return web.json_response(token(f"http://{request.host}/"))

    async def _open(self, request: web.Request) -> web.Response:
        self._calls["open"] += 1
        return web.json_response({"id": f"a:opened-{self._calls['open']}"}, status=201)

    async def _post(self, request: web.Request) -> web.Response:
        number = self._note(request.match_info["conversation"], await request.json())
        return web.json_response({"id": f"posted-{number}"}, status=201)

    async def _put(self, request: web.Request) -> web.Response:
        self._note(request.match_info["id"], await request.json())
        return web.json_response({"id": request.match_info["id"]})

    async def _delete(self, request: web.Request) -> web.Response:
        self._calls["delete"] += 1
        return web.Response()

    def _note(self, name: str, activity: dict[str, Any]) -> int:
        self._calls[activity["type"]] += 1
        if activity["type"] == "message" and activity.get("text") not in _BUSY:
            self._answers.append((name, time.monotonic(), activity))
        return self._calls.total()

    async def _count(self, request: web.Request) -> web.Response:
        return web.json_response(len(self._answers))

    async def _seen(self, request: web.Request) -> web.Response:
        """Which answers came when, how many show an article, and what Teams would refuse of them."""
        seen = {
            "answers": [(name, at) for name, at, _ in self._answers],
            "articles": sum('"verb": "wrong"' in json.dumps(activity) for *_, activity in self._answers),
            "refused": [found for *_, activity in self._answers for found in _problems(activity)],
            "calls": self._calls,
        }
        return web.json_response(seen)


def _problems(activity: dict[str, Any]) -> list[str]:
    cards = [attachment["content"] for attachment in activity.get("attachments") or []]
    found = [] if cards or activity.get("text") else ["nothing"]
    found += ["a text and a card"] if cards and activity.get("text") else []
    found += ["a card over 28 KB" for card in cards if _size(card) > _MOST_IN_CARD]
    return found + ["over 80 KB"] * (_size(activity) > _MOST)


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


async def main() -> None:
    with KeyServer() as keys:
        runner = web.AppRunner(TeamsApi(keys).app(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)  # noqa: T201 - for whoever started us
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
