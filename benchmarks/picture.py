"""Draw the picture of the README: a forecast of Bitcoin from the end of its shipped bars."""

import argparse
import sys
from pathlib import Path

import matplotlib as mpl

import roughcast

PICTURE = Path(__file__).parents[1] / "docs" / "forecast.png"
NEWEST = 250  # bars that are looked at


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE)
    options = parser.parse_args()
    mpl.use("Agg")
    draw(options.out)
    return 0


def draw(path: Path) -> None:
    """Write the picture; the same bytes each time, by the same matplotlib."""
    bars = roughcast.dataset("BTC-USD").tail(NEWEST)
    forecast = roughcast.forecast(bars, levels=[0.5, 0.8], asset="BTC-USD")
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        from matplotlib import pyplot as plt

        figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
        forecast.plot(ax)
        ax.set_title(f"Bitcoin, realized and expected volatility, forecast after {forecast.as_of}")
        figure.savefig(path, dpi=110, metadata={"Software": None})
        plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
