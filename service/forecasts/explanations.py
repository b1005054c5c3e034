"""What moved a forecast, as an answer says it."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from models_store import Explanation
from volatility.regressor_groups import Group


class ContributionAnswer(TypedDict):
    """What one thing adds to a forecast."""

    name: Annotated[
        str,
        Field(
            description="A regressor, as in the model's manifest, or what else it is, such as "
            "`calendar`.",
            examples=["negative_shock_5:return"],
        ),
    ]
    group: Annotated[Group, Field(examples=["leverage"])]
    member: Annotated[
        str | None,
        Field(
            description="Of a combination: the model that says it, counted by its share.",
            examples=["hexp"],
        ),
    ]
    value: Annotated[float, Field(description="What it adds.", examples=[0.0714])]
    regressor: Annotated[
        float | None,
        Field(description="Value of the regressor, if it is one.", examples=[-1.03]),
    ]
    usual: Annotated[
        float | None,
        Field(
            description="The value from which it counts: of a history in which every session had "
            "the mean rv of training, half of it from falls and none from jumps, and the price "
            "never moved from one to the next, so that returns count from zero; of the model for "
            "every asset, the mean over its panel.",
            examples=[0.0],
        ),
    ]


class ExplanationAnswer(TypedDict):
    """A forecast as the sum of contributions."""

    of: Annotated[
        Literal["log_rv", "rv"],
        Field(
            description="What the contributions sum to: the log of `rv`, or `rv` itself, of models "
            "that are sums of variances."
        ),
    ]
    total: Annotated[float, Field(description="Their sum.", examples=[-6.88])]
    groups: Annotated[
        dict[Group, float],
        Field(
            description="Their sums by group.",
            examples=[{"baseline": -9.087, "recent_volatility": 1.962, "leverage": 0.241}],
        ),
    ]
    contributions: list[ContributionAnswer]


def explanation_answer(explanation: Explanation) -> ExplanationAnswer:
    """The JSON of an explanation."""
    return ExplanationAnswer(
        of="log_rv" if explanation.scale == "logs" else "rv",
        total=sum(it.value for it in explanation.contributions),
        groups=explanation.by_group,
        contributions=[
            ContributionAnswer(
                name=it.name,
                group=it.group,
                member=it.member,
                value=it.value,
                regressor=it.regressor,
                usual=it.usual,
            )
            for it in explanation.contributions
        ],
    )
