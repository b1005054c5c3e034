import numpy as np
import pytest

from tests.training.simulated import make_training_set, small_config
from training.models.linear.averages import ewma, last_value, moving_average

CONFIG = small_config()


def test_forecasts_by_hand() -> None:
    data = make_training_set()
    rv = np.zeros(75)
    rv[-22:] = 1.0
    rv[-1] = 3.0
    (last,) = last_value(CONFIG).fit(data).predictor.predict({"rv": rv[None, -1:]}).values
    (mean,) = moving_average(CONFIG).fit(data).predictor.predict({"rv": rv[None, -22:]}).values
    (exponential,) = ewma(CONFIG).fit(data).predictor.predict({"rv": rv[None, :]}).values
    assert last == 3.0
    assert mean == pytest.approx((21 * 1 + 3) / 22, rel=1e-12)
    weights = 0.94 ** np.arange(75)
    # ones over the newest 22 ages, and two more at age 0
    assert exponential == pytest.approx((weights[:22].sum() + 2) / weights.sum(), rel=1e-12)
