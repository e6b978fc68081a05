"""The little of Slack's Web API that `doctor` and `explain` ask, for code that is not async."""

import json
import threading
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bots.slack_manifest import SCOPES, needed

LEAST = {scope.name for scope in needed(SCOPES)}
HISTORY = {"channels:history", "groups:history"}
PUBLIC = {"name": "support", "is_private": False, "is_member": True, "is_archived": False}
WHO = {"user_id": "U0BOT", "user": "bijdehand", "bot_id": "B0BOT", "team_id": "T1", "team": "Kievit"}


class StubSlack:
    """Answers as told: `says` holds what a method returns, the error that it gives, or what makes one of the call."""

    def __init__(self, scopes=LEAST, **says):
        self.scopes = scopes
        self.calls = []  # (method, token, body)
        self.says = {"auth.test": WHO, "api.test": {}, "apps.connections.open": {"url": "wss://x"}} | {
            method.replace("_", "."): answer for method, answer in says.items()
        }

    def answer(self, method, token, body):
        self.calls.append((method, token, body))
        said = self.says.get(method, "unknown_method")
        if callable(said):
            said = said(body)
        return {"ok": False, "error": said} if isinstance(said, str) else {"ok": True} | said


@contextmanager
def serving(slack):
    """`with serving(StubSlack()) as api`: the base URL of its Web API."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            body = urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
            answer = json.dumps(slack.answer(self.path.rpartition("/")[2], token, dict(body))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            if slack.scopes:
                self.send_header("X-OAuth-Scopes", ",".join(sorted(slack.scopes)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            """The test's output is for the test."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/"
        finally:
            server.shutdown()
            thread.join()
