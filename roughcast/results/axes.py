"""Where results are drawn; matplotlib is loaded when the first is."""

from textwrap import fill
from typing import TYPE_CHECKING

from roughcast.results.tables import Tabular
from volatility.extras import TRAINING_EXTRA, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 64  # characters of a line of a title


def axes_for(result: Tabular, ax: "Axes | None") -> "Axes":
    """The axes that are given, or those of a new figure, under the title of a result.

    Raises
    ------
    ExtraMissing : the extra ``training`` is not installed.
    """
    require(TRAINING_EXTRA, "a plot", field="plot")
    import matplotlib.pyplot as plt

    axes = ax or plt.figure(layout="constrained").add_subplot()
    axes.set_title(fill(result.title, _WIDTH), fontsize="medium")
    return axes
