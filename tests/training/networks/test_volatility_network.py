import torch

from training.config import read_config
from training.networks.volatility_network import Encoder, VolatilityNetwork


def test_the_paper_s_sizes_give_the_published_checkpoint_s_parameter_count() -> None:
    network = VolatilityNetwork(read_config().network)
    assert sum(parameter.numel() for parameter in network.parameters()) == 106_785


def test_scaling_is_inside_the_network() -> None:
    network = VolatilityNetwork(read_config().network).eval()
    log_rv = torch.randn(5, 20)
    with torch.no_grad():
        plain = network(log_rv)
        network.scaler.mean.fill_(-9.0)
        network.scaler.deviation.fill_(2.0)
        torch.testing.assert_close(network(2 * log_rv - 9), 2 * plain - 9)


def test_only_the_newest_window_is_read() -> None:
    network = VolatilityNetwork(read_config().network).eval()
    long = torch.randn(3, 30)
    with torch.no_grad():
        assert torch.equal(network(long), network(long[:, -20:]))


def test_parts_are_all_parameters_of_the_encoder_from_the_top_down() -> None:
    encoder = VolatilityNetwork(read_config().network).encoder
    assert isinstance(encoder, Encoder)
    parts = encoder.parts
    assert len(parts) == 4
    flat = [parameter for part in parts for parameter in part]
    assert {id(parameter) for parameter in flat} == {id(p) for p in encoder.parameters()}
    assert len(flat) == len(list(encoder.parameters()))
    assert parts[-1][0] is encoder.lstm.weight_ih_l0
