from dataclasses import replace

import numpy as np
import pytest

from tests.training.data import make_asset, make_training_set, small_config
from training.config import read_config
from training.models.har import log_har
from training.models.lstm import lstm
from training.models.recipe import TrainingSet
from training.networks.fitting import Split, mean_squared_error


def test_one_seed_gives_one_network_and_another_seed_another() -> None:
    recipe = lstm(small_config())
    data = make_training_set()
    first, again, other = (recipe.fit(replace(data, seed=seed)).predictor for seed in (1, 1, 2))
    windows = {"rv": data.pairs(20).windows["rv"][-3:]}
    assert np.array_equal(first.predict(windows).values, again.predict(windows).values)
    assert not np.allclose(first.predict(windows).values, other.predict(windows).values)


def test_fitting_is_training_on_the_target_s_split() -> None:
    recipe = lstm(small_config())
    data = make_training_set()
    split = Split.of(data.pairs(20), recipe.fitting.validation_share)
    fitted, trained = recipe.fit(data), recipe.train(split, {}, data.seed)
    log_rv = split.validation.inputs
    windows = {"rv": data.pairs(20).windows["rv"][-len(log_rv) :]}
    assert np.array_equal(
        fitted.predictor.predict(windows).values, trained.predictor.predict_log(log_rv)
    )
    assert fitted.histories == trained.histories


def test_losses_are_kept_and_the_best_is_the_residual_variance() -> None:
    fit = lstm(small_config()).fit(make_training_set())
    history = fit.histories["training"]
    assert len(history.training_losses) == len(history.validation_losses) == 2
    assert fit.residual_variance == min(history.validation_losses)
    assert fit.learned == {"best_epoch": history.best_epoch}


def test_the_network_finds_a_planted_har() -> None:
    """On log rv made by a HAR, the paper's network comes close to the true model's error."""
    data = make_asset(nobs=3000, seed=4)
    config = read_config()
    recipe = replace(
        lstm(config),
        fitting=replace(config.pretraining, epochs=12),
        network=replace(config.network, hidden_size=32, layers=1),
    )
    fit = recipe.fit(TrainingSet(data, {}, seed=1))
    validation = Split.of(data.pairs(20), 0.2).validation
    residuals = log_har(22).estimate(data.pairs(22)).residuals
    har_error = float(np.mean(residuals[-len(validation) :] ** 2))
    assert fit.residual_variance < 0.75 * float(validation.targets.var())  # beats the mean by far
    assert fit.residual_variance < 1.15 * har_error
    assert mean_squared_error(fit.predictor.network, validation) == pytest.approx(
        fit.residual_variance
    )
