from dataclasses import replace

import torch

from tests.training.fits import mean_squared_error, network_of
from tests.training.processes import nonlinear_log_rv, split_of, tiny_config
from training.models.neural import pretraining
from training.models.neural.transfer_residual import TransferResidual, transfer_residual
from training.models.recipe import Fit
from training.networks.fitting import LogWindows, Split

TARGET = split_of(nonlinear_log_rv(300, 3))
SOURCE = split_of(nonlinear_log_rv(1500, 4))


def train(source: Split) -> tuple[TransferResidual, Fit]:
    recipe = transfer_residual(tiny_config())
    return recipe, recipe.train(TARGET, {"SOURCE": source}, 1)


def test_har_and_scales_are_the_target_s_and_the_correction_is_the_source_s_to_begin_with() -> None:
    recipe, fit = train(SOURCE)
    tuned = network_of(fit)
    pretrained, _ = pretraining.pretrain(recipe.scratch, SOURCE, 1)
    alone = recipe.scratch.build(TARGET.training)
    assert torch.equal(tuned.har.coefficients, alone.har.coefficients)
    assert torch.equal(tuned.deviation, alone.deviation)
    assert torch.equal(tuned.scaler.mean, alone.scaler.mean)
    assert not torch.equal(pretrained.har.coefficients, alone.har.coefficients)
    moved = [
        (tuned.head[0].weight - start.head[0].weight).abs().mean() for start in (pretrained, alone)
    ]
    assert moved[0] < 0.5 * moved[1]


def test_fine_tuning_changes_every_part_of_a_copy() -> None:
    recipe, fit = train(SOURCE)
    pretrained, history = pretraining.pretrain(recipe.scratch, SOURCE, 1)
    before, after = pretrained.state_dict(), network_of(fit).state_dict()
    parts = [name for name in before if name.startswith(("encoder", "head"))]
    assert parts
    assert not any(torch.equal(before[name], after[name]) for name in parts)
    assert fit.histories["pretraining"] == history
    assert len(fit.histories["fine_tuning"].training_losses) > 1


def test_what_the_source_taught_helps_the_target_before_it_learns_itself() -> None:
    target = split_of(nonlinear_log_rv(1500, 3))
    recipe = transfer_residual(tiny_config())
    standing = replace(recipe, fitting=replace(recipe.fitting, learning_rate=1e-8, epochs=1))
    fit = standing.train(target, {"SOURCE": SOURCE}, 1)
    har = mean_squared_error(network_of(fit).har, target.validation)
    assert fit.residual_variance < 0.7 * har


def test_the_source_s_level_does_not_matter() -> None:
    """Windows are standardized by each asset's own scale: a louder asset teaches the same.

    Of few epochs: over many, rounding alone leads two trainings apart.
    """
    parts = (SOURCE.training, SOURCE.validation)
    louder = Split(*(LogWindows(part.inputs + 2, part.targets + 2) for part in parts))
    recipe = transfer_residual(tiny_config())
    short = replace(
        recipe,
        pretraining=replace(recipe.pretraining, epochs=2),
        fitting=replace(recipe.fitting, epochs=1),
    )
    fits = [short.train(TARGET, {"SOURCE": source}, 1) for source in (SOURCE, louder)]
    losses = [fit.residual_variance for fit in fits]
    assert abs(losses[0] - losses[1]) < 0.01 * losses[0]
