"""The web chat: the desk in a browser on this machine. It works without JavaScript; app.js only makes it quicker."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from bots.web_text import inline, markdown, sentences
from core.card import current_change
from core.desk import MAX_QUESTION, Desk
from core.errors import NotFoundError
from core.language import language_of_locale
from core.model import Answer, Feedback, Outcome, Person, Question
from core.store import Identity
from core.words import reasons, say, say_date
from knowledge.article import Article, Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part
from knowledge.text import is_link

log = logging.getLogger(__name__)

MAX_BODY = 16 * 1024  # bytes
_BODY_WITHIN = 10.0  # seconds
_LONGEST_NAME = 100  # of a file of our own; at a much longer one a file system raises
_RECENT = 4  # changes on the first screen
_HERE = Path(__file__).parent
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_COOKIE = "bijdehand_lang"  # cookies are shared by every port of this machine, so the name says whose it is
_YEAR = 365 * 24 * 3600
_OTHERWISE = web.AppKey[Language]("otherwise")  # the language when nothing tells
_DRAFT = web.RequestKey("draft", str)  # what to leave in the box
_LANG = web.RequestKey("lang", str)  # the language that a form asks for
_SENTENCE_OF_STATUS = {404: "web.not_found", 413: "error.too_long"}

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": under it browsers send `Origin: null` with our own forms, and those must tell who they are.
    # Other sites are told nothing either way.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Cookie, Accept-Language, X-Requested-With",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(desk: Desk) -> web.Application:
    """Make the web chat; whoever runs it binds it to 127.0.0.1."""
    pages = _Pages(desk)
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_local_only, _kindly])
    app[_OTHERWISE] = desk.language
    app.on_response_prepare.append(_safely)
    app.add_routes(
        [
            web.get("/", pages.home),
            web.get("/topics", pages.topics),
            web.get("/article/{id:(?s:.+)}", pages.article),
            web.post("/ask", pages.ask),
            web.post("/reshape", pages.reshape),
            web.post("/feedback", pages.feedback),
            *(web.get(path, _go_home) for path in ("/ask", "/reshape", "/feedback")),
            web.get(f"/static/{{name:.{{{_LONGEST_NAME},}}}}", _not_here),
            web.static("/static", _HERE / "static"),
        ]
    )
    return app


class _Pages:
    """What a browser can ask for. The desk is called in a thread: it computes and waits for disks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def home(self, request: web.Request) -> web.Response:
        changed = await asyncio.to_thread(self._changed, _language(request))
        return _page(request, "chat.html", changed=changed)

    async def ask(self, request: web.Request) -> web.Response:
        form = await _form(request)
        text = form.get("q", "")
        request[_DRAFT] = text
        moment = _moment(form.get("moment", ""))
        answer = await asyncio.to_thread(self._ask, text, _language(request), moment)
        too_long = answer.outcome is Outcome.HELP and len(text.strip()) > MAX_QUESTION
        if answer.outcome is not Outcome.FAILED and not too_long:
            request[_DRAFT] = ""
        return _entry(request, answer, status=500 if answer.outcome is Outcome.FAILED else 200)

    async def reshape(self, request: web.Request) -> web.Response:
        form = await _form(request)
        moment = _moment(form.get("moment", ""))
        if moment is None:
            raise web.HTTPBadRequest
        answer = await asyncio.to_thread(self._reshape, form.get("answer_id", ""), moment)
        # An article without a part for this moment comes back in its plain shape; say so, or the tap seems dead.
        return _entry(request, answer, nothing=answer.moment is not moment)

    async def feedback(self, request: web.Request) -> web.Response:
        form = await _form(request)
        reason = form.get("reason", "")
        if reason not in reasons(_language(request)):
            raise web.HTTPBadRequest
        answer = await asyncio.to_thread(self._rate, form.get("answer_id", ""), reason)
        if _is_fragment(request):
            return _html(_template("thanks.html").render(answer=answer))
        return _entry(request, answer, thanked=True)

    async def article(self, request: web.Request) -> web.Response:
        moment = _moment(request.query.get("moment", ""))
        found = await asyncio.to_thread(self._read, _article_id(request), _language(request), moment)
        if _is_fragment(request):
            return _entry(request, found.opened)
        return _page(request, "article.html", moment=moment, **found._asdict())

    async def topics(self, request: web.Request) -> web.Response:
        topics, changed = await asyncio.to_thread(self._index, _language(request))
        return _page(request, "topics.html", topics=topics, changed=changed)

    # -- the desk's side of it, each in one go and off the event loop -----------------------------------------------
    def _person(self) -> Person:
        return self._desk.person(Identity("web", "", "local"))

    def _changed(self, language: Language) -> list[tuple[Article, str, str]]:
        """What is new: the article, the new way and from when."""
        found = []
        for article in self._desk.changed_lately(self._person(), language)[:_RECENT]:
            change = current_change(article, self._desk.now())
            if change:
                day = say_date(change.since.astimezone(self._desk.zone).date(), article.language)
                key = "news.since" if change.since <= self._desk.now() else "news.from"
                found.append((article, change.new, say(key, article.language, date=day)))
        return found

    def _ask(self, text: str, language: Language, moment: Moment | None) -> Answer:
        return self._desk.ask(Question(text, self._person(), "web", locale=language, moment=moment))

    def _reshape(self, answer_id: str, moment: Moment) -> Answer:
        return self._desk.reshape(answer_id, moment, self._person())

    def _rate(self, answer_id: str, reason: str) -> Answer:
        answer = self._desk.recall(answer_id)
        self._desk.rate(Feedback(answer_id, self._person().id, helpful=False, reason=reason))
        return answer

    def _read(self, article_id: str, language: Language, moment: Moment | None) -> "_Read":
        person = self._person()
        article = self._desk.article(article_id, person)
        twin = self._twin(article, person)
        # In its own language when there is a choice, so that nothing claims it exists in that language only.
        speak = article.language if twin else language
        shelf = self._desk.topics(person, article.language).get(article.topic, [])
        place = next((i for i, one in enumerate(shelf) if one.group == article.group), 0)
        neighbours = (shelf[place - 1] if place else None, shelf[place + 1] if place + 1 < len(shelf) else None)
        opened = self._desk.open(article_id, person, language=speak, moment=moment)
        changes = self._desk.open(article_id, person, language=speak, moment=Moment.CHANGE)
        return _Read(article, twin, opened, changes, neighbours)

    def _twin(self, article: Article, person: Person) -> Article | None:
        other: Language = "en" if article.language == "nl" else "nl"
        shelves = self._desk.topics(person, other).values()
        same = (one for shelf in shelves for one in shelf if one.group == article.group)
        return next((one for one in same if one.language == other), None)

    def _index(self, language: Language) -> tuple[dict[str, list[Article]], set[str]]:
        person = self._person()
        changed = {article.id for article in self._desk.changed_lately(person, language)}
        return self._desk.topics(person, language), changed


class _Read(NamedTuple):
    """An article to be read: `opened` in the shape that was asked for, `changes` in the shape of what is new.

    `neighbours` stand before and after it under its topic.
    """

    article: Article
    twin: Article | None
    opened: Answer
    changes: Answer
    neighbours: tuple[Article | None, Article | None]


# -- the edge --------------------------------------------------------------------------------------------------------
async def _safely(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on whatever leaves."""
    response.headers.update(_HEADERS)
    response.headers["Cache-Control"] = "no-cache" if request.path.startswith("/static/") else "no-store"


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site sends through this machine's browser: DNS rebinding, forged forms."""
    if _is_from_here(request):
        return await handler(request)
    return web.Response(status=403, text=say("web.not_here", _language(request)))


@web.middleware
async def _kindly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong into a sentence; the traceback is for the log."""
    try:
        return await handler(request)
    except NotFoundError:
        status, key = 404, "answer.gone" if request.method == "POST" else "web.not_found"
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - HTTP's own number
            raise
        status, key = error.status, _SENTENCE_OF_STATUS.get(error.status, "error.broken")
    except Exception:
        log.exception("could not serve %s %s", request.method, request.rel_url.raw_path)
        status, key = 500, "error.broken"
    if _is_fragment(request):
        return _html(_template("sorry.html").render(sentence=say(key, _language(request))), status)
    return _page(request, "sorry_page.html", status=status, sentence=say(key, _language(request)))


def _is_from_here(request: web.Request) -> bool:
    host = request.headers.get("Host", "")
    origin = request.headers.get("Origin", "")
    if not _LOCAL.fullmatch(host):
        return False
    if request.method in {"GET", "HEAD"} or not origin:
        return True
    return origin.lower() == f"http://{host.lower()}"


async def _go_home(request: web.Request) -> web.Response:
    """A form's address that was typed, reloaded or bookmarked."""
    raise web.HTTPSeeOther("/")


async def _not_here(request: web.Request) -> web.Response:
    raise web.HTTPNotFound


async def _form(request: web.Request) -> dict[str, str]:
    """Read the fields of a form; anything that is not one has none."""
    try:
        async with asyncio.timeout(_BODY_WITHIN):
            body = (await request.read()).decode("utf-8", "replace")
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except (OSError, ClientError, HttpProcessingError, web.RequestPayloadError) as error:
        raise web.HTTPBadRequest from error
    form = dict(parse_qsl(body, keep_blank_values=True))
    request[_LANG] = form.get("lang", "")
    return form


def _language(request: web.Request) -> Language:
    """What the form or the address says, else what was chosen before, else what the browser prefers."""
    accepted = request.headers.get("Accept-Language", "").split(",")  # browsers list the best first
    chosen = (request.get(_LANG, ""), request.query.get("lang", ""), request.cookies.get(_COOKIE, ""))
    for locale in (*chosen, *accepted):
        if language := language_of_locale(locale.strip()):
            return language
    return request.app[_OTHERWISE]


def _moment(name: str) -> Moment | None:
    return Moment(name) if name in list(Moment) else None


def _is_fragment(request: web.Request) -> bool:
    """Whether app.js asks, which puts the piece where it belongs, or a browser that wants a whole page."""
    return "X-Requested-With" in request.headers


# -- pages -----------------------------------------------------------------------------------------------------------
def _entry(request: web.Request, answer: Answer, *, status: int = 200, **values: object) -> web.Response:
    """A question with its answer, alone or as the only one on its page."""
    values = {"answer": answer, "draft": request.get(_DRAFT, ""), "kept": request.method == "POST", **values}
    if _is_fragment(request):
        return _html(_template("entry.html").render(values), status)
    return _page(request, "chat.html", status=status, **values)


def _page(request: web.Request, name: str, *, status: int = 200, **values: object) -> web.Response:
    language = _language(request)
    there = "" if request.method == "GET" else "/"  # the address of a form cannot be opened again
    values = {"draft": request.get(_DRAFT, ""), "language": language, "there": there, **values}
    response = _html(_template(name).render(values), status)
    if language_of_locale(request.query.get("lang", "")):
        response.set_cookie(_COOKIE, language, max_age=_YEAR, httponly=True, samesite="Strict")
    return response


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


def _template(name: str) -> Template:
    return _templates().get_template(name)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"say": say, "moments": list(Moment), "reasons": reasons}
    made.filters |= {
        "markdown": markdown,
        "inline": inline,
        "sentences": sentences,
        "leading": _leading,
        "path": _path,
        "anchor": _anchor,
        "verdict": _verdict,
    }
    made.tests["link"] = is_link
    return made


def _path(article_id: str) -> str:
    """The address of an article. A browser takes `..` between slashes, even quoted, as a step up, but not `~..`."""
    stepping = {".", ".."}.intersection(article_id.split("/"))
    tilde = "~" if stepping or article_id.startswith("~") else ""
    return "/article/" + tilde + quote(article_id, safe="" if stepping else "/")


def _article_id(request: web.Request) -> str:
    return request.match_info["id"].removeprefix("~")


def _anchor(topic: str) -> str:
    """Where a topic stands on its page."""
    return "t-" + quote(re.sub(r"\W+", "-", topic.casefold()).strip("-"))


def _verdict(article: Article) -> str:
    """The answer in one line, where the article has one."""
    section = article.section(Kind.VERDICT)
    return section.text.strip() if section else ""


def _leading(parts: tuple[Part, ...]) -> int:
    """Which part is drawn large: the first, but not who the customer must prove to be."""
    return next((i for i, part in enumerate(parts) if part.kind is not Kind.IDENTIFY), 0)
