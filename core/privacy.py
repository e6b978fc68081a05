"""Take customers' numbers out of a text before anything keeps it.

Recognised is what has a form of its own: BSN, IBAN, EAN of 18 digits, payment card, phone number, e-mail address,
birth date, postcode with house number, and the customer numbers that the settings describe. Names cannot be promised,
nor can a street without a postcode, a number with a digit missing or wrong, or one in words. What an agent asks about
stays: amounts, other dates, error codes, help lines.

All of it is looked for in the text's shadow: the same text in plain signs, without what nobody sees.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import pairwise

from core.errors import SettingsError

# In order of precedence: where two kinds claim equally much, the first one names it. A placeholder has no digits
# and one bracket on either side, so that nothing is ever found in it or across its edge.
_PLACEHOLDERS = {
    "customer_number": "[klantnummer]",
    "iban": "[IBAN]",
    "ean": "[EAN]",
    "bsn": "[BSN]",
    "card": "[kaartnummer]",
    "email": "[e-mail]",
    "phone": "[telefoonnummer]",
    "birth_date": "[geboortedatum]",
    "address": "[adres]",
}
_KINDS = tuple(_PLACEHOLDERS)
_PLACEHOLDER = re.compile(f"({'|'.join(map(re.escape, _PLACEHOLDERS.values()))})")

_MAX_TEXT = 20_000  # characters; the rest is dropped, for what is not searched must not be kept
_BSN, _EAN, _DUTCH_PHONE, _CARD = 9, 18, 10, range(13, 20)  # digits
_SHORTEST, _LONGEST = 9, 19
_AREA, _CARD_GROUP = 3, 4  # digits in the first group, if there are groups
_MOST_GROUPS = 11  # +3 1 6 1 2 ..., spelled out
_AGES = range(16, 111)  # years back in which a date is somebody's birth
_PIVOT = 5  # years ahead that a year of two digits may still mean

_ATOM = r"!#$%&'*+/=?^`{|}~.-"
_LOCAL = rf"(?<![\w{_ATOM}])[{_ATOM}]*+\w[\w{_ATOM}]*+"
_DOT = r"(?:\.|\s?[(\[]\s?(?:dot|punt|\.)\s?[)\]]\s?)"
_DOMAIN = rf"(?:[^\W_][\w-]*{_DOT})*[^\W\d_][\w-]+"  # without a dot too: people type jan@gmail
_AT = r"(?:@|\s?[(\[]\s?(?:at|@|apen?staartje)\s?[)\]]\s?|\sapen?staartje\s)"  # not <at>, as Teams tags a mention
_ENDING = r"(?:[a-z]{2}|com|net|org|info)(?![\w-])(?!\.\w)"  # "met @jan.jansen" mentions somebody
_EMAILS = (
    re.compile(rf"{_LOCAL}{_AT}{_DOMAIN}", re.IGNORECASE),
    re.compile(rf"{_LOCAL}\s?@\s?(?:[^\W_][\w-]*\.)+{_ENDING}", re.IGNORECASE),
)
_MAYBE = re.compile(r"[0-9@]|\bat\b|staart", re.IGNORECASE)  # without any of these nothing will be found

_LINE_BREAKS = "\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_NOT_PLAIN = re.compile(r"[^\n -~]|[ \n] | \n")
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs that show as nothing

_BLANK = r"[^\S\n]"
_MARK = r"./_*\u00b7\u2022-"
# Blanks after a line break and a mark make a list of it: two numbers, not one.
_GAP = re.compile(rf"(?=.{{1,4}}\Z)[ (){_MARK}]*\n?[(){_MARK}]*", re.DOTALL)
_GROUP = re.compile(r"[0-9]+")
_GROUPED_CARD = re.compile(r"(?:2[2-7]|[3-6])[0-9]*")  # so that four years or meter readings are no card
_TWO_READINGS = re.compile(r"0[0-9]{4}\n0[0-9]{4}")  # of a meter, each on its line
_MOBILE = re.compile(r"(?:0|(?:00)?310?)6[0-9]{8}")

_IBAN = re.compile(rf"(?=([A-Z]{{2}}[\s{_MARK}]?[0-9]{{2}}(?:[\s{_MARK}]?[A-Z0-9]){{11,30}}))", re.IGNORECASE)
_DUTCH_IBAN = re.compile(r"NL[0-9]{2}[A-Z]{4}[0-9]{10}")  # recognisable even with a typing error

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari february feb",
            "maart march mrt mar",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "augustus august aug",
            "september sept sep",
            "oktober october okt oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})\b\.?"
_UNIT = r"€(?!\s?[0-9])|%|euro?\b|kwh?\b|m[23²³]"
_NO_UNIT = rf"(?!\s?(?:{_UNIT}))"  # "op 1 maart 2000 euro"
_NTH = r"(?:e|ste|de|st|nd|rd|th)?"


def _dated(pattern: str, *, after: str = "") -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9])(?<![0-9][-/.]){after}{pattern}(?![0-9])(?![-/.][0-9])", re.IGNORECASE)


_DATES = (
    rf"(?P<day>[0-9]{{1,2}})(?P<gap>{_BLANK}?[-/.]{_BLANK}?)(?P<month>[0-9]{{1,2}})(?P=gap)(?P<year>[0-9]{{4}})",
    r"(?P<day>[0-9]{1,2})(?P<gap>[-/])(?P<month>[0-9]{1,2})(?P=gap)'?(?P<year>[0-9]{2})",
    r"(?P<year>[0-9]{4})(?P<gap>[-/.])(?P<month>[0-9]{1,2})(?P=gap)(?P<day>[0-9]{1,2})",
    rf"(?P<day>[0-9]{{1,2}}){_NTH}[\s-]?(?:of\s|van\s)?{_MONTH}[\s,-]{{0,2}}(?P<year>[0-9]{{4}}|['\u2019][0-9]{{2}})"
    + _NO_UNIT,
    rf"\b{_MONTH}\s(?P<day>[0-9]{{1,2}}){_NTH},?\s(?P<year>[0-9]{{4}})",
)
# Digits alone are enough for a birth date, but too little to say that they cannot be part of another number.
_BARE_DATES = (
    rf"(?P<day>[0-9]{{1,2}}){_BLANK}(?P<month>[0-9]{{1,2}}){_BLANK}(?P<year>[0-9]{{4}}){_NO_UNIT}",
    rf"(?P<day>[0-9]{{2}})(?P<month>[0-9]{{2}})(?P<year>[0-9]{{4}}){_NO_UNIT}",
    rf"(?P<year>[0-9]{{4}})(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}}){_NO_UNIT}",
)
_BIRTHS = tuple(map(_dated, _DATES + _BARE_DATES))
# 0343 12-10-26, but on a line of its own a date is one, unless an area code ends the line before
_NOT_AFTER_A_GROUP = (
    rf"(?<![0-9)][ {_MARK}])(?<![0-9)] [-/] )(?<!\))(?<!\b0[0-9]{{2}}\n)(?<!\b0[0-9]{{3}}\n)(?<!\b0[0-9]{{3}}\)\n)"
)
_TIME = re.compile(r"(?<![0-9:])[0-9]{1,2}:[0-9]{2}(?![0-9:])")
_MOMENTS = (*(_dated(pattern, after=_NOT_AFTER_A_GROUP) for pattern in _DATES), _TIME)

# "2025 en 2026" reads like a postcode with a house number, and "1200 kw 3" too.
_WORD = r"(?:as|at|by|ca|cm|di|do|en|er|gb|in|is|kg|km|kw|ma|mb|mm|na|no|nr|nu|of|om|on|op|or|st|te|to|vr|wo|za|zo)"
_YEAR = r"(?:19|20)[0-9]{2}"
_POSTCODE = (
    rf"(?<![0-9])(?![0-9]{{4}}\s(?-i:{_WORD})\b)(?!{_YEAR}\s{_WORD}\s{_YEAR}\b)"
    rf"[1-9][0-9]{{3}}{_BLANK}{{0,2}}[A-Z]{{2}}(?![^\W\d_])"
)
_LABEL = r"(?:(?:huis|house)?\s?(?:nummer|number|num|nr|no)|hnr)\b\.?[\s:]{0,2}(?:is\s)?"
_AMOUNT = rf"{_UNIT}|(?:uur|dagen|weken|maanden|jaar|keer|hours|days|weeks|months|years|times)\b"
_MONTH_NAME = "|".join(name for name in _MONTHS if name != "jan")  # Jan lives there
_NOT_A_HOUSE = rf"(?!\s?(?:{_AMOUNT}|(?:{_MONTH_NAME})\b))"
_HOUSE = (
    rf"(?!(?-i:[0-9]{{4}}\s?[A-Z]{{2}}\b))[1-9][0-9]{{0,4}}(?![0-9]){_NOT_A_HOUSE}"
    r"(?:[\s/-]?(?:bis|hs|[a-z])(?![^\W_])|[/-][0-9a-z]{1,4}(?![^\W_]))?"
)
_ADDRESSES = (
    re.compile(rf"{_POSTCODE}[\s,;:(/_*-]{{0,3}}(?:#\s?|{_LABEL})?{_HOUSE}", re.IGNORECASE),
    re.compile(rf"{_POSTCODE}(?:[\s,.]{{1,2}}[^\W\d_]{{1,30}}){{0,3}}?[\s,.]{{1,2}}{_LABEL}{_HOUSE}", re.IGNORECASE),
    re.compile(
        rf"(?<=[^\W\d_][\s.])[1-9][0-9]{{0,2}}{_BLANK}?[a-z]?(?:,\s?|\s)(?:postcode\s)?{_POSTCODE}", re.IGNORECASE
    ),
)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text that may be kept, and the kinds of number that were in it, in order of appearance."""

    text: str
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring groups of digits that might be one number."""

    start: int
    end: int
    text: str
    digits: str
    sizes: tuple[int, ...]
    gaps: tuple[str, ...]
    plus: bool

    @property
    def whole(self) -> bool:
        """Written without any gap, or only with the end of a line somewhere in it."""
        return self.gaps in {(), ("\n",)}

    @property
    def even(self) -> bool:
        """Written with the same mark everywhere, as one number is and two numbers side by side often are not."""
        marks = {gap.strip() for gap in self.gaps if gap != "\n"}
        return len(marks) <= 1 and not marks & {"/", "(", ")"}

    @property
    def unbroken(self) -> tuple[int, ...]:
        """Its sizes, if the one line break in it went through a group."""
        if self.gaps.count("\n") != 1:
            return self.sizes
        at = self.gaps.index("\n")
        return (*self.sizes[:at], self.sizes[at] + self.sizes[at + 1], *self.sizes[at + 2 :])


@dataclass(frozen=True, slots=True)
class _Shadow:
    """What a text says in plain signs, and where in the text each of them stands."""

    text: str
    places: Sequence[int]

    def cast_by(self, claim: _Claim) -> _Claim:
        """The same claim on the text itself."""
        return _Claim(self.places[claim.start], self.places[claim.end - 1] + 1, claim.kind)


class Scrubber:
    """Replaces numbers that lead to a customer by a word in brackets, for good: nothing is kept to undo it."""

    def __init__(self, customer_numbers: Sequence[str] = (), *, today: Callable[[], date] = date.today) -> None:
        self._own = tuple(map(customer_number, customer_numbers))
        self._today = today

    def scrub(self, text: str) -> Scrubbed:
        """Replace until nothing is found, so that scrubbing again changes nothing.

        It ends, because every round leaves fewer characters outside placeholders.
        """
        found: list[str] = []
        while True:
            text = _cut(text)
            pieces = _PLACEHOLDER.split(text)  # every second one is a placeholder
            claims = [[] if place % 2 else self._claims(piece) for place, piece in enumerate(pieces)]
            if not any(claims):
                return Scrubbed(text, tuple(dict.fromkeys(found)))
            found += [claim.kind for some in claims for claim in some]
            text = "".join(map(_replaced, pieces, claims))

    def _claims(self, text: str) -> list[_Claim]:
        shadow = _shadow(text)
        own = self._customer_numbers(text)
        if shadow.text != text:
            own += map(shadow.cast_by, self._customer_numbers(shadow.text))
        return _merged([*own, *map(shadow.cast_by, _recognised(shadow.text, self._today()))])

    def _customer_numbers(self, text: str) -> list[_Claim]:
        return [
            claim for own in self._own for claim in _matches(own, text, "customer_number") if claim.end > claim.start
        ]


def customer_number(pattern: str) -> re.Pattern[str]:
    """How one's own customer numbers are recognised; `SettingsError` when the pattern is not right."""
    wrong = f"BIJDEHAND_CUSTOMER_NUMBERS is not right: {pattern!r}"
    if any(unicodedata.category(sign) == "Cc" for sign in pattern):
        raise SettingsError(
            f"{wrong} holds a control character. Double quotes make a backspace of \\b: use single quotes in .env."
        )
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise SettingsError(f"{wrong} is not a regular expression ({error}).") from error


def _shadow(text: str) -> _Shadow:
    """Plain signs, any blanks as one space, and those around a line break left out."""
    if not _NOT_PLAIN.search(text):
        return _Shadow(text, range(len(text)))
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(map(_plain, text)):
        if not sign or (sign == " " and signs and signs[-1] in " \n"):
            continue
        if sign == "\n" and signs and signs[-1] == " ":
            signs.pop()
            places.pop()
        signs.append(sign)
        places.append(place)
    return _Shadow("".join(signs), places)


@lru_cache(maxsize=4096)
def _plain(sign: str) -> str:
    """What a sign comes down to in a number or address; nothing, for a sign that is not seen."""
    if sign.isspace():
        return "\n" if sign in _LINE_BREAKS else " "
    category = unicodedata.category(sign)
    if category[0] == "C" or category in {"Mn", "Me"} or sign in _FILLERS:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if category == "Pd" or sign == "\u2212":
        return "-"
    if unicodedata.decomposition(sign).startswith(("<super>", "<sub>")):
        return sign  # m² and footnotes
    same = unicodedata.normalize("NFKC", sign)
    return same if len(same) == 1 else sign


def _cut(text: str) -> str:
    """The part that is searched, without the word or number that the cut went through."""
    if len(text) <= _MAX_TEXT:
        return text
    whole, *rest = text[:_MAX_TEXT].rsplit(maxsplit=1) or [""]
    if not rest:
        return ""
    end = len(whole)
    while end and not (whole[end - 1].isalpha() or whole[end - 1] == "]"):  # which ends a placeholder
        end -= 1
    return whole[:end]


def _replaced(text: str, claims: Sequence[_Claim]) -> str:
    kept, at = [], 0
    for claim in claims:
        kept += [text[at : claim.start], _PLACEHOLDERS[claim.kind]]
        at = claim.end
    return "".join([*kept, text[at:]])


def _merged(claims: list[_Claim]) -> list[_Claim]:
    """Overlapping claims become one, so that no part of any of them survives; the longest names it."""
    merged: list[_Claim] = []
    longest = 0
    for claim in sorted(claims, key=lambda claim: (claim.start, -claim.end, _KINDS.index(claim.kind))):
        size = claim.end - claim.start
        if not merged or claim.start >= merged[-1].end:
            merged.append(claim)
            longest = size
            continue
        last = merged[-1]
        kind = claim.kind if size > longest else last.kind
        merged[-1] = _Claim(last.start, max(last.end, claim.end), kind)
        longest = max(longest, size)
    return merged


def _recognised(text: str, today: date) -> Iterator[_Claim]:
    if not _MAYBE.search(text):
        return
    certain = [*(claim for pattern in _EMAILS for claim in _matches(pattern, text, "email")), *_ibans(text)]
    yield from certain
    yield from _births(text, today)
    rest = _without_moments(_masked(text, certain))
    yield from _numbers(rest)
    for pattern in _ADDRESSES:
        yield from _matches(pattern, rest, "address")


def _masked(text: str, claims: Sequence[_Claim]) -> str:
    for claim in claims:
        text = text[: claim.start] + "\0" * (claim.end - claim.start) + text[claim.end :]
    return text


def _without_moments(text: str) -> str:
    """A date or time is no part of a number: "06-10-2026 12:00" is no mobile phone, "3511 LX 12:00" no address."""
    for pattern in _MOMENTS:
        text = pattern.sub(lambda match: "\0" * len(match[0]), text)
    return text


def _matches(pattern: re.Pattern[str], text: str, kind: str) -> Iterator[_Claim]:
    return (_Claim(match.start(), match.end(), kind) for match in pattern.finditer(text))


def _ibans(text: str) -> Iterator[_Claim]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        places = [place for place in range(match.start(1), match.end(1)) if text[place].isalnum()]
        number = "".join(text[place] for place in places).upper()
        number = number[: _iban_length(number[:2])]  # the words after it may have been taken along
        if _DUTCH_IBAN.fullmatch(number) or iban.is_valid(number, check_country=False):
            yield _Claim(places[0], places[len(number) - 1] + 1, "iban")


@cache
def _iban_length(country: str) -> int:
    """As many characters as this country uses; 0 when it has no IBAN."""
    from stdnum import numdb

    structure = numdb.get("iban").info(country)[0][1].get("bban", "")  # such as 4!a10!n
    rest = sum(map(int, re.findall(r"([0-9]+)!", structure)))
    return rest and rest + len("NL00")


def _births(text: str, today: date) -> Iterator[_Claim]:
    for pattern in _BIRTHS:
        for match in pattern.finditer(text):
            if _age(match, today) in _AGES:
                yield _Claim(match.start(), match.end(), "birth_date")


def _age(match: re.Match[str], today: date) -> int | None:
    """Whole years since a written date; None when there is no such day."""
    day, month, year = int(match["day"]), _MONTHS.get(match["month"].lower()), match["year"].lstrip("'\u2019")
    month = month or int(match["month"])
    if month > 12:  # noqa: PLR2004 - the American way round
        day, month = month, day
    full = int(year) if len(year) > 2 else _century(int(year), today)  # noqa: PLR2004 - '80
    if not (1 <= month <= 12 and 1 <= day <= 31):  # noqa: PLR2004 - the calendar
        return None
    return today.year - full - ((today.month, today.day) < (month, day))


def _century(year: int, today: date) -> int:
    this = today.year // 100 * 100
    return this + year if this + year <= today.year + _PIVOT else this - 100 + year


def _numbers(text: str) -> Iterator[_Claim]:
    for run in _runs(text):
        if kind := _kind(run):
            yield _Claim(run.start - run.plus, run.end, kind)


def _runs(text: str) -> Iterator[_Run]:
    """Every run that is long enough: where a number ends and the next begins is for the check digits to say."""
    groups = list(_GROUP.finditer(text))
    gaps = [text[before.end() : after.start()] for before, after in pairwise(groups)]
    joined = [bool(_GAP.fullmatch(gap)) for gap in gaps]
    for first, begin in enumerate(groups):
        digits = ""
        for last in range(first, min(first + _MOST_GROUPS, len(groups))):
            digits += groups[last][0]
            if len(digits) > _LONGEST or (last > first and not joined[last - 1]):
                break
            if len(digits) >= _SHORTEST:
                sizes = tuple(len(group[0]) for group in groups[first : last + 1])
                start, end = begin.start(), groups[last].end()
                plus = text[start - 1 : start] == "+"
                yield _Run(start, end, text[start:end], digits, sizes, tuple(gaps[first:last]), plus)


def _kind(run: _Run) -> str | None:
    if _is_phone(run):
        return "phone"
    if not run.even:
        return None
    return "ean" if _is_ean(run) else "bsn" if _is_bsn(run) else "card" if _is_card(run) else None


def _is_ean(run: _Run) -> bool:
    """18 digits: of a Dutch connection whatever the check digit, of another with the right one."""
    weighed = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(reversed(run.digits)))
    return len(run.digits) == _EAN and (run.digits.startswith("87") or (run.whole and weighed % 10 == 0))


def _is_bsn(run: _Run) -> bool:
    from stdnum.nl import bsn

    written = run.whole or any(set(sizes) == {1} or set(sizes) <= {2, 3, 4} for sizes in (run.sizes, run.unbroken))
    return len(run.digits) == _BSN and written and bool(bsn.is_valid(run.digits))


def _is_card(run: _Run) -> bool:
    from stdnum import luhn

    first = {run.sizes[0], run.unbroken[0]}
    written = run.whole or (_CARD_GROUP in first and _GROUPED_CARD.fullmatch(run.digits))
    return len(run.digits) in _CARD and bool(written and luhn.is_valid(run.digits))


def _is_phone(run: _Run) -> bool:
    """Any mobile number, and whatever else phonenumbers calls valid, except lines that are there for everybody.

    Its own PhoneNumberMatcher passes over numbers that stand side by side or touch a word.
    """
    if _MOBILE.fullmatch(run.digits):
        return True
    if run.plus:
        return _is_private("+" + run.digits)
    if run.sizes[0] < _AREA or not run.digits.startswith("0") or _TWO_READINGS.fullmatch(run.text):
        return False
    return (run.digits.startswith("00") or len(run.digits) == _DUTCH_PHONE) and _is_private(run.digits)


def _is_private(number: str) -> bool:
    import phonenumbers
    from phonenumbers import PhoneNumberType

    try:
        parsed = phonenumbers.parse(number, "NL")
    except phonenumbers.NumberParseException:
        return False
    public = {PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) not in public
