from dataclasses import replace

import numpy as np
import torch

from tests.training.data import make_asset, small_config
from training.models.har import fit_har
from training.models.hybrid import HybridNetwork, hybrid
from training.models.recipe import TrainingSet


def test_alpha_mixes_har_and_network() -> None:
    pairs = make_asset().pairs(22)
    har, _ = fit_har(pairs, "logs")
    network = HybridNetwork(har, small_config().network).eval()
    newest = {"rv": pairs.windows["rv"][-4:]}
    log_rv = torch.from_numpy(np.log(newest["rv"])).float()
    with torch.no_grad():
        network.alpha_logit.fill_(100.0)  # alpha = 1
        np.testing.assert_allclose(network(log_rv).numpy(), har.predict(newest).values, rtol=1e-5)
        network.alpha_logit.fill_(-100.0)  # alpha = 0
        assert torch.equal(network(log_rv), network.network(log_rv))
        network.alpha_logit.fill_(float(np.log(3)))  # alpha = 3 / 4
        mixed = 0.75 * network.har(log_rv) + 0.25 * network.network(log_rv)
        torch.testing.assert_close(network(log_rv), mixed)


def test_alpha_is_learned_and_leans_on_har_where_har_is_the_truth() -> None:
    config = small_config()
    # A network that has no time to learn, against HAR on data that HAR made.
    config = replace(config, pretraining=replace(config.pretraining, epochs=30, patience=30))
    slow = replace(config.pretraining, learning_rate=1e-6)
    recipe = replace(
        hybrid(config), fitting=slow, mixing=replace(config.hybrid, alpha_learning_rate=0.1)
    )
    fit = recipe.fit(TrainingSet(make_asset(nobs=1000), {}, 1))
    assert fit.learned["alpha"] > 0.8


def test_training_leaves_har_s_coefficients_alone() -> None:
    data = make_asset()
    har, _ = fit_har(data.pairs(22), "logs")
    fit = hybrid(small_config()).fit(TrainingSet(data, {}, 1))
    expected = torch.tensor([*har.coefficients.values()])
    assert torch.equal(fit.predictor.network.har.coefficients, expected)
