"""Optional packages: what needs them, and what to say where they are not installed."""

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

from volatility.errors import RoughcastError

TRAINING_EXTRA, NETWORKS_EXTRA, DASK_EXTRA = "training", "networks", "dask"
PROVIDERS_EXTRA, CLIENT_EXTRA = "providers", "client"

# What each extra of pyproject.toml brings.
PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        TRAINING_EXTRA: (
            "MarkupSafe",
            "arch",
            "httpx",
            "joblib",
            "markdown-it-py",
            "matplotlib",
            "openpyxl",
            "pyarrow",
            "rich",
            "scipy",
            "statsmodels",
        ),
        NETWORKS_EXTRA: ("onnx", "onnxscript", "torch"),
        DASK_EXTRA: ("dask", "distributed"),
        PROVIDERS_EXTRA: ("ccxt", "yfinance"),
        CLIENT_EXTRA: ("httpx",),
    }
)

_IMPORTED_AS = {"MarkupSafe": "markupsafe", "markdown-it-py": "markdown_it"}  # else as it is called


class ExtraMissing(RoughcastError):
    """Something was asked for whose optional packages are not installed."""

    code = "extra_missing"


def require(extra: str, what: str, way_out: str = "", field: str = "models") -> None:
    """Check that the packages of an extra can be imported, without importing them.

    Parameters
    ----------
    extra : its name in pyproject.toml.
    what : what needs it, as the message names it.
    way_out : what to do without it, a clause.
    field : the option that asked for it.

    Raises
    ------
    ExtraMissing : a package is not there.
    """
    absent = [package for package in PACKAGES[extra] if not _is_installed(package)]
    if absent:
        raise ExtraMissing(
            f"{what} needs the extra '{extra}': pip install 'roughcast[{extra}]'{way_out}",
            field=field,
            found=f"no {', '.join(absent)}",
            needed=f"the extra {extra}",
        )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(_IMPORTED_AS.get(package, package)) is not None
    except ImportError:  # a finder that refuses
        return False
