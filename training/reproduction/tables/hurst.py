"""Table 1: Hurst exponents by four methods."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.reproduction import paper
from training.reproduction.data import PublishedAsset
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.roughness import (
    SHORT_LAGS,
    plain_dfa,
    plain_rescaled_range,
    plain_variogram,
    wavelet_hurst,
    wavelet_scaling,
)
from training.reproduction.samples import ByDate, bitcoin_daily, spx_daily
from training.reproduction.table import Cell, Quantity, Row, Table, fixed, signed
from volatility.arrays import FloatArray
from volatility.hurst import HurstReport
from volatility.hurst import report as hurst_report
from volatility.measures.daily import garman_klass
from volatility.seasonality import day_classes

HOURLY_RETURNS = 24  # in a day of Bitcoin

HOW = {
    ScoringProtocol.SAME: "the published code's methods on log_rv of the data files: R/S and DFA "
    "of the levels, the variogram over lags 1 to 99, wavelet levels numbered from the coarsest",
    ScoringProtocol.ALIGNED: "the same series by the estimators of volatility.hurst, which look at "
    "increments; the wavelet slope is the published one with levels numbered from the finest",
    ScoringProtocol.PROPER: "volatility.hurst on a daily measure without overlap: Garman-Klass "
    "for the S&P 500, the variance of 24 hourly returns for Bitcoin; the two last rows say how "
    "they differ",
}

ESTIMATORS = {
    name: Quantity(name, label, fixed(3))
    for name, label in (
        ("rescaled_range", "H by R/S"),
        ("dfa", "H by DFA"),
        ("variogram", "H by variogram"),
    )
}
SLOPE = Quantity("wavelet_slope", "wavelet slope", signed(3))
WAVELET = Quantity("wavelet_hurst", "H by wavelet, (slope - 1) / 2", fixed(3))
CORRECTED = Quantity("variogram_corrected", "H by variogram less measurement noise", fixed(3))
PER_BAR = Quantity(
    "garman_klass_variogram", "H of each bar's Garman-Klass, variogram, lags 1 to 30", fixed(3)
)


@dataclass(frozen=True)
class Asset:
    """One asset's series, as published and measured properly.

    Attributes
    ----------
    name : as the paper prints it.
    published : its files.
    daily : its daily measure.
    intraday_nobs : returns in a day, where the measure is made of them.
    """

    name: str
    published: PublishedAsset
    daily: ByDate
    intraday_nobs: int | None

    @cached_property
    def published_report(self) -> HurstReport:
        """The project's report on the rolling standard deviation, undeclared."""
        return hurst_report(self.published.whole.log_rv, measure=None)

    @cached_property
    def daily_report(self) -> HurstReport:
        """The project's report on the daily measure."""
        return hurst_report(
            self.daily.log_volatility.values,
            measure=self.daily.series.measure,
            intraday_nobs=self.intraday_nobs,
            day_classes=day_classes(self.daily.series.dates, self.daily.calendar),
        )

    @cached_property
    def log_garman_klass(self) -> FloatArray:
        """Log of each bar's Garman-Klass variance, bars without a range left out."""
        bars = self.published.bars
        rv = garman_klass(bars.open, bars.high, bars.low, bars.close)
        return np.asarray(np.log(rv[rv > 0]))


def assets_of(results: Results) -> tuple[Asset, Asset]:
    """S&P 500 and Bitcoin."""
    data = results.data
    return (
        Asset(paper.SPX, data.spx, spx_daily(data), None),
        Asset(paper.BITCOIN, data.bitcoin, bitcoin_daily(data), HOURLY_RETURNS),
    )


def table(results: Results) -> Table:
    """Four estimators on two assets, and what a range-based measure gives."""
    assets = assets_of(results)
    return Table(
        number=1,
        slug="hurst",
        title="Hurst parameter estimates",
        item_heading="asset",
        how=HOW,
        rows=[row for asset in assets for row in _rows(asset)],
        notes=[note for asset in assets for note in _notes(asset)],
    )


def _rows(asset: Asset) -> Iterator[Row]:
    series = asset.published.whole.log_rv
    plain = {
        "rescaled_range": plain_rescaled_range(series),
        "dfa": plain_dfa(series),
        "variogram": plain_variogram(series),
    }
    values = paper.HURST[asset.name]
    for name, quantity in ESTIMATORS.items():
        by_protocol = {ScoringProtocol.SAME: plain[name], **_estimates(asset, name)}
        yield _row(asset, quantity, values[name], by_protocol)
    slopes = _slopes(asset)
    yield _row(asset, SLOPE, values["wavelet_slope"], slopes)
    exponents = {protocol: wavelet_hurst(slope) for protocol, slope in slopes.items()}
    yield _row(asset, WAVELET, None, exponents)
    yield _row(asset, CORRECTED, None, _estimates(asset, "variogram_corrected"))
    per_bar = plain_variogram(asset.log_garman_klass, SHORT_LAGS)
    yield Row(
        asset.name,
        asset.name,
        PER_BAR,
        None,
        {ScoringProtocol.PROPER: Cell((per_bar,), len(asset.log_garman_klass))},
    )


def _slopes(asset: Asset) -> dict[ScoringProtocol, float]:
    scaling = wavelet_scaling(asset.published.whole.log_rv)
    slopes = {
        ScoringProtocol.SAME: scaling.published_line.slope,
        ScoringProtocol.ALIGNED: scaling.line.slope,
    }
    proper = asset.daily_report.estimate("wavelet").fit_slope
    return slopes if proper is None else slopes | {ScoringProtocol.PROPER: proper}


def _estimates(asset: Asset, estimator: str) -> dict[ScoringProtocol, float]:
    reports = {
        ScoringProtocol.ALIGNED: asset.published_report,
        ScoringProtocol.PROPER: asset.daily_report,
    }
    found = {protocol: one.estimate(estimator).hurst for protocol, one in reports.items()}
    return {protocol: hurst for protocol, hurst in found.items() if hurst is not None}


def _row(
    asset: Asset,
    quantity: Quantity,
    value: str | None,
    by_protocol: Mapping[ScoringProtocol, float],
) -> Row:
    published, daily = len(asset.published.whole), len(asset.daily.series)
    nobs = {
        ScoringProtocol.SAME: published,
        ScoringProtocol.ALIGNED: published,
        ScoringProtocol.PROPER: daily,
    }
    cells = {protocol: Cell((found,), nobs[protocol]) for protocol, found in by_protocol.items()}
    return Row(asset.name, asset.name, quantity, value, cells)


def _notes(asset: Asset) -> Iterator[str]:
    for what, found in (
        ("as published", asset.published_report),
        ("properly measured", asset.daily_report),
    ):
        yield f"{asset.name}, {what}: {found.verdict.replace('_', ' ')}. {_sentence(found.reason)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
