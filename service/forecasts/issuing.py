"""Answers to questions as values, for whoever writes them in a form of its own."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from service.forecasts.forecaster import Issued, forecast, forecast_batch
from service.forecasts.query import Asked
from volatility.errors import RoughcastError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Answers(Protocol[T_co]):
    """Answers questions in some form."""

    def answer(self, asked: Asked) -> T_co:
        """Answer one question.

        Raises
        ------
        RoughcastError : it cannot be answered; the error says why.
        """

    def answer_batch(
        self, questions: Sequence[Asked | RoughcastError]
    ) -> Sequence[T_co | RoughcastError]:
        """Answer every question as :meth:`answer` would, or say why not, in order.

        Errors among ``questions`` stay in their places.
        """


class IssuedForecasts:
    """Forecasts as values.

    Parameters
    ----------
    made : told of each question that is answered from held history, and of its answer.
    """

    def __init__(self, made: Callable[[Asked, Issued], object] = lambda *_: None) -> None:
        self._made = made

    def answer(self, asked: Asked) -> Issued:
        """See :meth:`Answers.answer`."""
        issued = forecast(asked)
        self._tell(asked, issued)
        return issued

    def answer_batch(
        self, questions: Sequence[Asked | RoughcastError]
    ) -> list[Issued | RoughcastError]:
        """See :meth:`Answers.answer_batch`."""
        sound = [it for it in questions if not isinstance(it, RoughcastError)]
        made = list(zip(sound, forecast_batch(sound), strict=True))
        for asked, issued in made:
            if not isinstance(issued, RoughcastError):
                self._tell(asked, issued)
        answers = iter(made)
        return [it if isinstance(it, RoughcastError) else next(answers)[1] for it in questions]

    def _tell(self, asked: Asked, issued: Issued) -> None:
        if asked.key is not None:
            self._made(asked, issued)
