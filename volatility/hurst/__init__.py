"""How rough log volatility is: six estimators of the Hurst exponent, and a verdict.

Every function takes the **path** of log volatility, in levels. See ``docs/hurst.md`` for what the
estimators' errors are and which one is trusted.
"""

from volatility.hurst.dfa import dfa
from volatility.hurst.estimate import (
    MINIMUM_NOBS,
    ConstantSeries,
    HurstEstimate,
    ScalingPoint,
)
from volatility.hurst.report import HurstReport, report
from volatility.hurst.rescaled_range import rescaled_range
from volatility.hurst.scales import FactorsFit, ScaleComparison
from volatility.hurst.variogram import variogram
from volatility.hurst.variogram_corrected import variogram_corrected
from volatility.hurst.verdict import Verdict
from volatility.hurst.wavelet import wavelet
from volatility.hurst.whittle import whittle

__all__ = [
    "MINIMUM_NOBS",
    "ConstantSeries",
    "FactorsFit",
    "HurstEstimate",
    "HurstReport",
    "ScaleComparison",
    "ScalingPoint",
    "Verdict",
    "dfa",
    "report",
    "rescaled_range",
    "variogram",
    "variogram_corrected",
    "wavelet",
    "whittle",
]
