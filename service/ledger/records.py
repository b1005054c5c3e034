"""A forecast as it was issued, with all that it takes to make it again."""

from collections.abc import Callable, Mapping, MutableMapping
from datetime import date
from functools import lru_cache, partial
from typing import Literal, NamedTuple, cast

from service.assets.held import Held
from service.forecasts.encoding import encode
from service.forecasts.forecaster import Issued, IssuedForecast
from service.forecasts.query import Asked, Question, TermStructure
from service.http.clock import moment_of
from service.http.json import to_bytes, to_date

Role = Literal["answer", "shadow"]


class Record(NamedTuple):
    """One forecast from held history."""

    forecast_id: str
    asset: str
    model: str
    model_version: int
    model_sha256: str
    horizon: int
    as_of: date  # the last session whose data it used
    target_date: date  # the first session that it forecasts
    last_closed: date  # the last session that had closed when it was issued
    asked_as_of: date | None  # the day that was to be replayed, if one was
    issued_at: int  # microseconds since 1970, when it was first made
    last_issued_at: int  # and when it was last, from another state of the bars
    levels: tuple[float, ...]  # of its intervals
    known_at: Mapping[str, int]  # by asset that was looked at, as `Held` has it
    role: Role  # "shadow": computed beside an answer, and told to nobody
    answer: bytes  # JSON, as ``POST /forecast`` gives it for the one horizon

    @property
    def is_live(self) -> bool:
        """Whether it was issued before the session that it forecasts had closed."""
        return self.target_date > self.last_closed

    @property
    def line(self) -> "Line":
        """As it is written."""
        about = about_of(
            self.asset,
            self.model,
            self.model_version,
            self.model_sha256,
            self.horizon,
            self.as_of,
            self.target_date,
            self.last_closed,
            self.asked_as_of,
            self.levels,
            tuple(self.known_at.items()),
        )
        said = self.issued_at, self.last_issued_at, self.role, self.answer
        return Line(self.forecast_id, about, _text_of(self.forecast_id, about, *said))


# What many forecasts share, by the names of columns.
ABOUT = (
    "asset",
    "model",
    "model_version",
    "model_sha256",
    "horizon",
    "as_of",
    "target_date",
    "last_closed",
    "asked_as_of",
    "levels",
    "known_at",
)


# All of a line, in its order.
_LINE = ("forecast_id", "about", "issued_at", "last_issued_at", "role", "answer")


class Line(NamedTuple):
    """A forecast as it is written."""

    forecast_id: str
    about: str  # what it shares with others, as a JSON list in the order of `ABOUT`
    text: str  # all of it, as one in the order of `_LINE`; empty where it need not be written


def place_of(column: str) -> tuple[int, ...]:
    """Where a column of the table is in the text of a line, by position in each list."""
    if column in ABOUT:
        return _LINE.index("about"), ABOUT.index(column)
    return (_LINE.index(column),)


def _text_of(
    forecast_id: str, about: str, issued_at: int, last_issued_at: int, role: Role, answer: bytes
) -> str:
    return f'["{forecast_id}",{about},{issued_at},{last_issued_at},"{role}",{answer.decode()}]'


class Answered(NamedTuple):
    """One forecast on its way to the ledger: what its line is made of, and no more.

    All else of an answer, some sixty objects, is let go of at once: while those of many were kept
    until their lines were made, each next answer was made in memory that was in no cache.
    """

    question: Question
    issued_at: int
    role: Role
    forecast_id: str
    model: str
    model_version: int
    model_sha256: str
    as_of: date | None
    target_date: date | None
    levels: tuple[float, ...]
    answer: bytes

    @classmethod
    def of(
        cls, question: Question, issued: IssuedForecast, issued_at: int, role: Role, answer: bytes
    ) -> "Answered":
        """What is kept of a forecast and of its bytes."""
        said = issued.forecast
        return cls(
            question,
            issued_at,
            role,
            issued.forecast_id,
            said.model,
            said.model_version,
            said.model_sha256,
            said.as_of,
            said.target_date,
            tuple([it.level for it in said.intervals]),
            answer,
        )

    @property
    def questions(self) -> tuple[Question, ...]:
        """What was asked."""
        return (self.question,)

    @property
    def held(self) -> Held:
        """The history that it was answered from."""
        return cast(Held, self.question.history)

    @property
    def about(self) -> str:
        """What it shares with others, as :func:`about_of` has it."""
        question, at, _, _, model, version, sha256, as_of, target, levels, _ = self
        held = self.held
        return about_of(
            held.asset.asset,
            model,
            version,
            sha256,
            question.horizon,
            as_of,
            target,
            _last_closed(question, held, at),
            question.as_of,
            levels,
            _known_at(question, held),
        )

    def lines(self, known: MutableMapping[str, str]) -> list[Line]:
        """As those of :class:`Entry`: one."""
        return [_line_of(self, known, lambda: self.answer)]


class Entry(NamedTuple):
    """What was asked and answered, and is yet to be encoded by horizon."""

    asked: Asked
    issued: Issued
    issued_at: int
    role: Role = "answer"

    @property
    def questions(self) -> tuple[Question, ...]:
        """What was asked, at each horizon; of the same history."""
        return self.asked.questions if isinstance(self.asked, TermStructure) else (self.asked,)

    @property
    def held(self) -> Held:
        """The history that it was answered from."""
        return cast(Held, self.questions[0].history)

    def lines(self, known: MutableMapping[str, str]) -> list[Line]:
        """One a horizon; without a text for what is known, issued from the same state of the bars.

        Parameters
        ----------
        known : by id, what was last written about each; takes up these.
        """
        issued = self.issued
        each = (issued,) if isinstance(issued, IssuedForecast) else issued
        pairs = zip(self.questions, each, strict=True)
        return [
            _line_of(
                Answered.of(question, it, self.issued_at, self.role, b""),
                known,
                partial(_encoded, it),
            )
            for question, it in pairs
        ]


def _line_of(
    answered: Answered, known: MutableMapping[str, str], answer: Callable[[], bytes]
) -> Line:
    """The line, for which nothing is encoded if it is known."""
    name, at, about = answered.forecast_id, answered.issued_at, answered.about
    if known.get(name) == about:
        return Line(name, about, "")
    known[name] = about
    return Line(name, about, _text_of(name, about, at, at, answered.role, answer()))


def _encoded(issued: IssuedForecast) -> bytes:
    # An explanation is ten times as long as the forecast, and can be asked for again.
    return encode(issued._replace(forecast=issued.forecast._replace(explanation=None)))


Noted = Answered | Entry


def noted(asked: Asked, issued: Issued, issued_at: int, body: bytes | None) -> Noted:
    """What is kept of an answer; ``body`` is its JSON, where it has been encoded."""
    if body is None or not isinstance(issued, IssuedForecast) or issued.forecast.explanation:
        return Entry(asked, issued, issued_at)
    return Answered.of(cast(Question, asked), issued, issued_at, "answer", body)


@lru_cache(maxsize=4_096)
def about_of(
    asset: str,
    model: str,
    version: int,
    sha256: str,
    horizon: int,
    as_of: date | None,
    target: date | None,
    closed: date,
    asked: date | None,
    levels: tuple[float, ...],
    known_at: tuple[tuple[str, int], ...],
) -> str:
    """What many forecasts share, as a JSON list in the order of :data:`ABOUT`."""
    said = " ".join(map(str, levels))
    known = to_bytes(dict(known_at)).decode()
    about = (asset, model, version, sha256, horizon, as_of, target, closed, asked, said, known)
    return to_bytes(about).decode()


def _last_closed(question: Question, held: Held, issued_at: int) -> date:
    """The last session that had closed when it was issued, whatever time it replays."""
    if question.known_at is None:
        return cast(date, question.last_closed.item())
    return to_date(held.calendar.last_closed_session(moment_of(issued_at)))


def _known_at(question: Question, held: Held) -> tuple[tuple[str, int], ...]:
    own, beside = (held.asset.asset, held.known_at), question.beside
    if not beside.companions:
        return (own,)
    companions = zip(beside.companions, beside.known_at, strict=True)
    return own, *[(it.name, moment) for it, moment in companions]
