"""The web chat: the desk in a browser on this machine. It works without JavaScript; app.js only makes it quicker."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from core.card import current_change
from core.desk import MAX_QUESTION, Desk
from core.errors import NotFoundError
from core.language import language_of_locale
from core.model import Answer, Feedback, Outcome, Person, Question
from core.store import Identity
from core.words import say, say_date, words
from knowledge.article import Article, Kind, Language
from knowledge.moment import Moment
from knowledge.shape import Part
from knowledge.text import items, without_mark

log = logging.getLogger(__name__)

MAX_BODY = 16 * 1024  # bytes
_RECENT = 4  # changes on the first screen
_HERE = Path(__file__).parent
_LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_COOKIE = "bijdehand_lang"  # cookies are shared by every port of this machine, so the name says whose it is
_YEAR = 365 * 24 * 3600
_EMOJI = {Moment.NEW: "🌱", Moment.MORE: "🔎", Moment.APPLY: "✅", Moment.SOLVE: "🛠️", Moment.CHANGE: "🔄"}
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
    app.on_response_prepare.append(_safely)
    app.add_routes(
        [
            web.get("/", pages.home),
            web.get("/topics", pages.topics),
            web.get("/article/{id:.+}", pages.article),
            web.post("/ask", pages.ask),
            web.post("/reshape", pages.reshape),
            web.post("/feedback", pages.feedback),
            *(web.get(path, _go_home) for path in ("/ask", "/reshape", "/feedback")),
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
        if reason not in _reasons(_language(request)):
            raise web.HTTPBadRequest
        answer = await asyncio.to_thread(self._rate, form.get("answer_id", ""), reason)
        if _is_fragment(request):
            return _html(_template("thanks.html").render(answer=answer))
        return _entry(request, answer, thanked=True)

    async def article(self, request: web.Request) -> web.Response:
        moment = _moment(request.query.get("moment", ""))
        found = await asyncio.to_thread(self._read, request.match_info["id"], _language(request), moment)
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
                key = "web.since" if change.since <= self._desk.now() else "web.from"
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
        opened = self._desk.open(article_id, person, language=speak, moment=moment)
        changes = self._desk.open(article_id, person, language=speak, moment=Moment.CHANGE)
        return _Read(article, twin, opened, changes)

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
    """An article to be read: `opened` in the shape that was asked for, `changes` in the shape of what is new."""

    article: Article
    twin: Article | None
    opened: Answer
    changes: Answer


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


async def _form(request: web.Request) -> dict[str, str]:
    """Read the fields of a form; anything that is not one has none."""
    body = (await request.read()).decode("utf-8", "replace")
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
    return "nl"


def _moment(name: str) -> Moment | None:
    return Moment(name) if name in list(Moment) else None


def _reasons(language: Language) -> dict[str, str]:
    prefix = "feedback.reasons."
    return {key.removeprefix(prefix): word for key, word in words(language).items() if key.startswith(prefix)}


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
    made.globals |= {"say": say, "moments": list(Moment), "emoji": _EMOJI, "reasons": _reasons}
    made.filters |= {
        "markdown": _markdown,
        "inline": _inline,
        "sentences": _sentences,
        "leading": _leading,
        "path": _path,
        "link": _link,
    }
    return made


def _path(article_id: str) -> str:
    return "/article/" + quote(article_id)


def _link(url: str) -> str:
    """The address of a web page, or nothing."""
    return url if re.match(r"https?://[^\s/]", url, re.IGNORECASE) else ""


def _leading(parts: tuple[Part, ...]) -> int:
    """Which part is drawn large: the first, but not who the customer must prove to be."""
    return next((i for i, part in enumerate(parts) if part.kind is not Kind.IDENTIFY), 0)


# -- Markdown --------------------------------------------------------------------------------------------------------
class _Reader(MarkdownIt):
    """CommonMark with tables, without HTML, and with links only to where a link may go."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the name that markdown-it calls
        return bool(re.match(r"(https?|mailto|tel):", url, re.IGNORECASE))


@cache
def _reader() -> MarkdownIt:
    made = _Reader("commonmark", {"html": False}).enable("table")
    made.add_render_rule("text", _text)
    return made


def _text(renderer: object, tokens: Sequence[Token], place: int, *_: object) -> str:
    """Plain text, its figures unbroken: an amount whose € ends a line is misread."""
    return _FIGURE.sub(r'<span class="figure">\g<0></span>', str(escape(tokens[place].content)))


def _markdown(text: str, below: int = 4) -> Markup:
    """Markdown as HTML, its headings deeper than the heading it stands under."""
    return _rendered(_reader().parse(text), below)


def _inline(text: str) -> Markup:
    """A sentence with its emphasis, without paragraphs."""
    return _rendered(_reader().parseInline(text))


def _rendered(tokens: list[Token], below: int = 4) -> Markup:
    for token in tokens:
        _dress(token, below)
    # markdown-it escapes all text and has HTML switched off.
    return Markup(_reader().renderer.render(tokens, _reader().options, {}))  # noqa: S704


def _dress(token: Token, below: int) -> None:
    """Make a token fit for our pages."""
    for child in token.children or []:
        _dress(child, below)
    if token.type in {"heading_open", "heading_close"}:
        token.tag = f"h{min(6, max(below + 1, int(token.tag[1:])))}"
    elif token.type == "link_open" and token.attrs["href"]:
        token.attrs |= {"rel": "noopener noreferrer", "target": "_blank"}
    elif token.type == "link_open":  # `[x]()`, which no validation sees, would lead to the page itself
        token.attrs.clear()
    elif token.type == "image":  # nothing is fetched from elsewhere
        token.type = "text"
    elif "style" in token.attrs:  # an aligned cell; the content policy forbids styles of its own
        token.attrs["class"] = str(token.attrs.pop("style")).removeprefix("text-align:")


class _Sentence(NamedTuple):
    """A sentence for the customer: as written, and bare for the clipboard."""

    html: Markup
    bare: str


def _sentences(text: str) -> list[_Sentence]:
    """The sentences of a part, each ready to be copied."""
    spoken = [without_mark(item) for item in items(text)]
    return [_Sentence(_inline(sentence), _bare(_plain(sentence))) for sentence in spoken]


_FIGURE = re.compile(r"€ ?\d[\d.,]*|\b\d+(?:-\d+)+\b")
_QUOTED = re.compile(r'"([^"“”„]+)"|[“„]([^"“”„]+)[“”]')
_MARKS = '"“”„'


def _bare(sentence: str) -> str:
    """What stands between the quotation marks, without who is speaking or what to mind.

    With more than one pair we cannot know what is said and what is quoted in it: then all of it, outer marks off.
    """
    quoted = _QUOTED.findall(sentence)
    if len(quoted) == 1 and sum(sentence.count(mark) for mark in _MARKS) == 2:  # noqa: PLR2004 - a pair
        return "".join(quoted[0]).strip()
    return sentence.strip(_MARKS + " ")


def _plain(text: str) -> str:
    """Markdown as it reads aloud."""
    [line] = _reader().parseInline(text)
    return "".join(" " if child.type.endswith("break") else child.content for child in line.children or [])
