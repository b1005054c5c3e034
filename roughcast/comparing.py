"""Models side by side on one's own series."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from roughcast.forecasting import checked
from roughcast.frames import Described, check_whole, moment, several
from roughcast.results.comparison import Comparison, Score
from roughcast.training_data import ASSET, Question, fitting
from training.config import read_config
from training.data.assets import AssetData, TrainingSet
from training.models.registry import recipes
from volatility.evaluation.compare import Comparison as Compared
from volatility.evaluation.compare import ComparisonRow
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack
from volatility.extras import TRAINING_EXTRA, require

MODELS = ("har", "log_har", "calendar_log_har", "ewma")  # rv alone is enough for them


def compare(
    data: "pd.Series[Any] | pd.DataFrame",
    models: Sequence[str] = MODELS,
    *,
    horizon: int = 1,
    calendar: str | None = None,
    measure: str | None = None,
    kind: str | None = None,
    companions: Mapping[str, pd.DataFrame] | None = None,
    jobs: int = 1,
    now: datetime | None = None,
) -> Comparison:
    """Compare models walk-forward: fitted on the first half, judged on the last quarter.

    Each is fitted again every 22 sessions (networks less often) on what was known by then. Last
    value, HAR, log-HAR and calendar-adjusted log-HAR are always among them.

    Parameters
    ----------
    data : rv by date, as :func:`roughcast.measure` makes it, or bars: models that look at returns,
        jumps or nights need these. 500 sessions or more.
    models : their names, as ``roughcast evaluate --help`` lists them.
    horizon : sessions ahead, whose mean rv is forecast.
    calendar, measure, kind, companions : as for :func:`roughcast.fit`.
    jobs : processes; -1 is one a core.
    now : after which no session may close; the present if left out.

    Raises
    ------
    UnknownModel : there is none of a name.
    HistoryTooShort, TooFewObservations : too few sessions, or too many are missing.
    InvalidInput : data that cannot be used; ``not_applicable``, a model sees more than rv.
    ExtraMissing : the extra ``training`` is not installed, or ``networks`` for a network.

    Examples
    --------
    >>> import roughcast
    >>> rv = roughcast.measure(roughcast.dataset("ETH-USD"))
    >>> roughcast.compare(rv, ["har", "log_har"]).to_frame().index.tolist()
    ['calendar_log_har', 'log_har', 'har', 'last_value']
    """
    require(TRAINING_EXTRA, "compare()", field="models")
    from training.data.bars_file import load_asset
    from training.evaluation.run import TEST, evaluate
    from training.evaluation.study import Study, check_history

    names = several(models, "models", "a list of names, such as ['har', 'log_har']")
    [horizon] = checked([horizon])
    check_whole(jobs, "jobs", "a number of processes, or -1 for one a core", lambda it: it != 0)
    when, config = moment(now), read_config()
    described = Described(calendar, kind, measure)
    asset, notes = Question(data, described, companions, when).asset()
    known = recipes(names, config)
    check_history(TrainingSet(asset, {}, config.seed, horizon))
    chosen = tuple(fitting(it, asset, (horizon,)) for it in known)
    needed = sorted({name for recipe in chosen for name in recipe.sources})
    sources = {name: load_asset(name, None, when)[0] for name in needed}
    study = Study(TrainingSet(asset, sources, config.seed, horizon), chosen)
    [found] = evaluate([study], jobs)
    return _told(asset, found.comparisons[TEST], found.tracks, notes)


def _told(
    asset: AssetData,
    test: Compared,
    tracks: Mapping[str, ForecastTrack],
    notes: Sequence[str],
) -> Comparison:
    first, last = map(_to_date, test.span)
    return Comparison(
        asset=None if asset.asset == ASSET else asset.asset,
        measure=asset.series.measure,
        horizon=test.horizon,
        baseline=test.baseline,
        span=(first, last),
        nobs=test.nobs,
        scores=tuple(map(_score, test.rows)),
        spa_pvalue=dict(test.spa_pvalue),
        confidence_level=test.confidence_level,
        left_out=dict(test.left_out),
        remarks=(*notes, *test.warnings.values()),
        losses=_losses([tracks[row.model] for row in test.rows], test.span),
    )


def _score(row: ComparisonRow) -> Score:
    return Score(
        model=row.model,
        qlike_loss=row.qlike_loss,
        qlike_ratio=row.qlike_ratio,
        rmse_volatility=row.rmse_volatility,
        mae_volatility=row.mae_volatility,
        r_squared_log=row.r_squared_log,
        pvalues={name: it.pvalue for name, it in row.diebold_mariano.items()},
        in_confidence_set=row.in_confidence_set,
        coverage=dict(row.coverage),
    )


def _losses(
    tracks: Sequence[ForecastTrack], span: tuple[np.datetime64, np.datetime64]
) -> pd.DataFrame:
    """QLIKE by target date and model, on the dates that all forecast."""
    columns = {}
    for track in tracks:
        index = pd.DatetimeIndex(track.target_dates.astype("datetime64[s]"), name="target_date")
        columns[track.model] = pd.Series(qlike_losses(track.rv, track.forecast), index)
    frame = pd.concat(columns, axis=1, join="inner")
    return frame.loc[span[0] : span[1]]


def _to_date(day: np.datetime64) -> date:
    found = day.astype("datetime64[D]").item()
    assert isinstance(found, date)
    return found
