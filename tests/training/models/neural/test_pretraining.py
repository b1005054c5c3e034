from dataclasses import replace

from tests.training.processes import har_log_rv, split_of
from tests.training.simulated import small_config
from training.models.neural.lstm import lstm
from training.models.neural.pretraining import pretrain


def test_equal_windows_share_a_pretraining_and_others_do_not() -> None:
    recipe = lstm(small_config())
    source, equal, other = (split_of(har_log_rv(300, seed)) for seed in (1, 1, 2))
    network, history = pretrain(recipe, source, 1)
    assert pretrain(recipe, equal, 1) == (network, history)
    assert pretrain(recipe, other, 1)[0] is not network
    assert pretrain(recipe, source, 2)[0] is not network
    longer = replace(recipe, fitting=replace(recipe.fitting, epochs=3))
    assert len(pretrain(longer, source, 1)[1].training_losses) == 3
