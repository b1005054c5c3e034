"""What models are fitted on, from what a notebook has."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from roughcast.frames import Described, GivenBars, GivenSeries, wrong_type
from training.data.assets import AssetData
from training.data.bars_file import make_asset
from training.data.companions import companion_of, with_companions
from training.evaluation.study import obstacle
from training.models.recipe import Recipe, adapted
from volatility.bars import DAILY
from volatility.errors import InvalidInput
from volatility.frames import from_frame

ASSET = "series"  # the name of one that has none


class Question(NamedTuple):
    """What a model is fitted on: data as a caller has them, and what is said of them.

    Attributes
    ----------
    data : rv by date, or bars.
    described : what is said of the asset.
    companions : bars of other series, by name, if there are any.
    now : after which no session may close.
    """

    data: "pd.Series[Any] | pd.DataFrame"
    described: Described
    companions: Mapping[str, pd.DataFrame] | None
    now: datetime

    def asset(self) -> tuple[AssetData, tuple[str, ...]]:
        """The asset with its companions, and what is worth knowing about it.

        Raises
        ------
        InvalidInput : data that cannot be used, or an asset that is its own companion.
        """
        asset, notes = asset_of(self.data, self.described, self.now)
        given = {} if self.companions is None else self.companions
        needed = "bars by name, such as {'VIX': vix}, each a DataFrame"
        if not isinstance(given, Mapping):
            raise wrong_type(given, "companions", needed)
        for frame in given.values():
            if not isinstance(frame, pd.DataFrame):
                raise wrong_type(frame, "companions", needed)
        if not given:
            return asset, notes
        beside = [
            companion_of(name, from_frame(frame), "a DataFrame", self.now)
            for name, frame in given.items()
        ]
        return with_companions(asset, beside), notes


def asset_of(
    data: "pd.Series[Any] | pd.DataFrame", described: Described, now: datetime
) -> tuple[AssetData, tuple[str, ...]]:
    """An asset's daily rv, of bars with every column that they give, and what is worth knowing.

    Raises
    ------
    InvalidInput : see :class:`GivenBars` and :class:`GivenSeries`.
    """
    name = str(data.attrs.get("asset") or ASSET) if hasattr(data, "attrs") else ASSET
    if not isinstance(data, pd.DataFrame):
        given = GivenSeries.of(data, described, now)
        extreme = np.array(data.attrs.get("extreme_sessions", ()), "datetime64[D]")
        kept = ~np.isin(given.series.dates, extreme)
        series = given.series.part(kept)
        asset = AssetData(name, series, given.calendar, DAILY, "a Series", given.kind)
        left_out = int(np.count_nonzero(~kept))
        are = "session" if left_out == 1 else "sessions"
        said = f"{left_out} {are} with a high above five times the low: not fitted on"
        return asset, (*given.notes, *([said] if left_out else []))
    bars = GivenBars.of(data, described)
    made, findings = make_asset(
        name,
        bars.bars,
        calendar_name=bars.calendar,
        measure=bars.measure,
        source="a DataFrame",
        now=now,
        kind=bars.kind,
    )
    inferred = (bars.inferred,) if bars.inferred else ()
    return made, (*inferred, *dict.fromkeys(map(str, findings)))


def fitting(recipe: Recipe, asset: AssetData, horizons: Sequence[int]) -> Recipe:
    """A recipe as it is followed for an asset, at all of some horizons.

    Raises
    ------
    InvalidInput : ``not_applicable``, the asset gives too little to fit it on, or lacks a column.
    """
    why = obstacle(recipe, asset, horizons)
    if why is None:
        return adapted(recipe, asset.series.columns)
    bare = not asset.series.columns
    needed = "the bars in place of their rv" if bare else "other bars, companions or another model"
    raise InvalidInput(
        f"{recipe.name} cannot be fitted: {why}; needed: {needed}",
        code="not_applicable",
        field="model",
        found=recipe.name,
        needed=needed,
    )
