"""Numbers as Dhansoia (2025) prints them. No other module holds one.

A number is kept as the characters on the page, so that what is compared has the digits that were
printed and no more.
"""

from collections.abc import Mapping
from types import MappingProxyType

SPX, BITCOIN = "S&P 500", "Bitcoin"

# Table 1: Hurst parameter estimates.
HURST: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        SPX: {
            "rescaled_range": "0.136",
            "dfa": "0.118",
            "variogram": "0.119",
            "wavelet_slope": "-2.073",
        },
        BITCOIN: {
            "rescaled_range": "0.109",
            "dfa": "0.099",
            "variogram": "0.097",
            "wavelet_slope": "-2.089",
        },
    }
)

# Table 2: descriptive statistics of log realized volatility.
MOMENTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        SPX: {
            "mean": "-4.21",
            "deviation": "0.89",
            "skewness": "0.72",
            "kurtosis": "4.15",
            "minimum": "-6.53",
            "maximum": "-1.24",
        },
        BITCOIN: {
            "mean": "-3.45",
            "deviation": "1.12",
            "skewness": "0.45",
            "kurtosis": "3.28",
            "minimum": "-6.89",
            "maximum": "0.82",
        },
    }
)

# Table 3: forecasting performance on the Bitcoin test set.
MAIN_RESULTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "moving_average": {
            "rmse": "0.6191",
            "mae": "0.4565",
            "r_squared": "-0.384",
            "correlation": "0.291",
        },
        "lstm": {"rmse": "0.2635", "mae": "0.1390", "r_squared": "0.749", "correlation": "0.880"},
        "transfer": {
            "rmse": "0.2346",
            "mae": "0.1368",
            "r_squared": "0.801",
            "correlation": "0.908",
        },
        "har": {"rmse": "0.1098", "mae": "0.0465", "r_squared": "0.956", "correlation": "0.978"},
    }
)
TEST_NOBS = "1,279"

# Table 4: improvement of transfer learning over training from scratch, percent, and its p-value.
IMPROVEMENTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "rmse": ("+10.99", "< 0.001"),
        "mae": ("+1.57", "0.042"),
        "r_squared": ("+6.95", "–"),
        "correlation": ("+3.15", "< 0.001"),
    }
)

# Table 5: RMSE and improvement over HAR, percent. Where no RMSE is printed there is a dash.
ATTEMPTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "har": ("0.1098", "–"),
        "transfer_differential": ("0.1680", "-53.0"),
        "transfer_gradual": ("0.1550", "-41.2"),
        "transfer_aggressive": ("0.1448", "-31.9"),
        "hybrid": ("0.1104", "-0.55"),
        "dynamic_attention": ("0.1173", "-6.83"),
        "residual_boosting": ("–", "+0.01"),
        "regime_ensemble": ("–", "+0.18"),
        "transfer_residual": ("–", "+0.00"),
    }
)

# Table 6: Diebold-Mariano statistic against HAR (negative is worse than HAR) and p-value.
DIEBOLD_MARIANO: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "transfer": ("-7.63", "< 0.001"),
        "lstm": ("-7.31", "< 0.001"),
        "moving_average": ("-18.26", "< 0.001"),
        "hybrid": ("-0.42", "0.674"),
    }
)

# Table 7: parameters of the transfer LSTM.
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {"lstm": "53,760", "attention": "4,224", "predictor": "2,113", "total": "60,097"}
)

# Figure 1's caption.
WAVELET_FIT: Mapping[str, str] = MappingProxyType({SPX: "0.975", BITCOIN: "0.991"})

# Section 5.4.
HYBRID_ALPHA = "0.886"
