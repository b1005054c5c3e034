from typing import Any

import pytest
import torch

from tests.training.fits import network_of
from tests.training.processes import har_log_rv, nonlinear_log_rv, split_of, tiny_config
from training.models.neural.residual_boosting import residual_boosting

SPLIT = split_of(nonlinear_log_rv(600, 3))


def test_training_starts_from_har() -> None:
    network = residual_boosting(tiny_config()).build(SPLIT.training).eval()
    with torch.no_grad():
        predicted = network(SPLIT.validation.inputs)
        assert torch.equal(predicted, network.har(SPLIT.validation.inputs))


def test_the_correction_is_in_units_of_har_s_residuals() -> None:
    network = residual_boosting(tiny_config()).build(SPLIT.training).eval()
    residuals = SPLIT.training.targets - network.har(SPLIT.training.inputs)
    assert network.deviation.item() == pytest.approx(residuals.std().item())
    with torch.no_grad():
        last: Any = network.head[-1]
        last.bias.fill_(2.0)  # two deviations
        correction = network.correction(SPLIT.validation.inputs)
        expected = torch.full_like(correction, 2 * network.deviation.item())
        torch.testing.assert_close(correction, expected)
        torch.testing.assert_close(
            network(SPLIT.validation.inputs), network.har(SPLIT.validation.inputs) + correction
        )


def test_training_leaves_har_alone_and_learns_a_correction() -> None:
    recipe = residual_boosting(tiny_config())
    before = recipe.build(SPLIT.training).har.coefficients
    fit = recipe.train(SPLIT, {}, 1)
    network = network_of(fit)
    assert torch.equal(network.har.coefficients, before)
    with torch.no_grad():
        corrections = network.correction(SPLIT.validation.inputs)
    assert fit.learned["correction_std"] == pytest.approx(corrections.std().item())
    assert fit.learned["correction_std"] > 0.2  # the term has a deviation of about 0.4


def test_where_har_is_the_truth_the_correction_is_small() -> None:
    split = split_of(har_log_rv(1000, 3))
    fit = residual_boosting(tiny_config()).train(split, {}, 1)
    assert fit.learned["correction_std"] < 0.15  # residuals: 0.4
