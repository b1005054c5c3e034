from dataclasses import replace

import numpy as np
import torch

from tests.training.fits import network_of
from tests.training.simulated import make_asset, make_training_set, small_config
from training.data.assets import TrainingSet
from training.models.linear.har import LAGS
from training.models.neural.hybrid import hybrid
from training.networks.fitting import Split


def test_alpha_mixes_har_and_network() -> None:
    recipe = hybrid(small_config())
    training = Split.of(make_training_set().pairs(22), 0.2).training
    network = recipe.build(training).eval()
    log_rv = training.inputs[-4:]
    with torch.no_grad():
        network.alpha_logit.fill_(100.0)  # alpha = 1
        assert torch.equal(network(log_rv), network.har(log_rv))
        network.alpha_logit.fill_(-100.0)  # alpha = 0
        assert torch.equal(network(log_rv), network.network(log_rv))
        network.alpha_logit.fill_(float(np.log(3)))  # alpha = 3 / 4
        mixed = 0.75 * network.har(log_rv) + 0.25 * network.network(log_rv)
        torch.testing.assert_close(network(log_rv), mixed)


def test_alpha_is_learned_and_leans_on_har_where_har_is_the_truth() -> None:
    config = small_config()
    # A network that has no time to learn, against HAR on data that HAR made.
    slow = replace(config.pretraining, epochs=30, patience=30, learning_rate=1e-6)
    recipe = replace(
        hybrid(config), fitting=slow, mixing=replace(config.hybrid, alpha_learning_rate=0.1)
    )
    fit = recipe.fit(TrainingSet(make_asset(nobs=1000), {}, 1))
    assert fit.learned["alpha"] > 0.8


def test_har_is_that_of_the_training_part_and_training_leaves_it_alone() -> None:
    data = make_training_set()
    fit = hybrid(small_config()).fit(data)
    pairs = data.pairs(22)
    log_rv = np.log(pairs.windows["rv"])[: len(pairs) - int(0.2 * len(pairs))]
    design = np.column_stack([np.ones(len(log_rv))] + [log_rv[:, -lag:].mean(1) for lag in LAGS])
    expected, *_ = np.linalg.lstsq(design, np.log(pairs.targets[: len(log_rv)]), rcond=None)
    har = network_of(fit).har
    np.testing.assert_allclose(har.coefficients.numpy(), expected[1:], rtol=1e-4)
    np.testing.assert_allclose(har.intercept.numpy(), expected[0], rtol=1e-4)
