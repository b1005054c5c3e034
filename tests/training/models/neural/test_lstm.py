from dataclasses import replace

import numpy as np

from tests.training.fits import torch_of
from tests.training.simulated import make_training_set, small_config
from training.models.neural.lstm import lstm
from training.networks.fitting import Split


def test_one_seed_gives_one_network_and_another_seed_another() -> None:
    recipe = lstm(small_config())
    data = make_training_set()
    first, again, other = (recipe.fit(replace(data, seed=seed)).predictor for seed in (1, 1, 2))
    windows = {"rv": data.pairs(10).windows["rv"][-3:]}
    assert np.array_equal(first.predict(windows).values, again.predict(windows).values)
    assert not np.allclose(first.predict(windows).values, other.predict(windows).values)


def test_fitting_is_training_on_the_target_s_split() -> None:
    recipe = lstm(small_config())
    data = make_training_set()
    split = Split.of(data.pairs(10), recipe.fitting.validation_share)
    fitted, trained = recipe.fit(data), recipe.train(split, {}, data.seed)
    log_rv = split.validation.inputs
    windows = {"rv": data.pairs(10).windows["rv"][-len(log_rv) :]}
    assert np.array_equal(
        fitted.predictor.predict(windows).values, torch_of(trained).predict_log(log_rv)
    )
    assert fitted.histories == trained.histories


def test_losses_are_kept_and_the_best_is_the_residual_variance() -> None:
    fit = lstm(small_config()).fit(make_training_set())
    history = fit.histories["training"]
    assert len(history.training_losses) == len(history.validation_losses) == 2
    assert fit.residual_variance == min(history.validation_losses)
    assert fit.learned == {"best_epoch": history.best_epoch}
