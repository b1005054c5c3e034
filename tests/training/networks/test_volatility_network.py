import pytest
import torch

from training.config import read_config
from training.networks.volatility_network import NewestAttention, VolatilityNetwork


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


def test_attention_from_the_newest_session_is_torch_s_own() -> None:
    attention = NewestAttention(8, 2, dropout=0.1).eval()
    torch.nn.init.normal_(attention.projections.in_proj_bias)
    torch.nn.init.normal_(attention.projections.out_proj.bias)
    states = torch.randn(5, 7, 8)
    turned = states.transpose(0, 1)  # (lookback, batch, hidden)
    with torch.no_grad():
        expected, _ = attention.projections(turned[-1:], turned, turned)
        torch.testing.assert_close(attention(states), expected[0])


def test_dropout_takes_whole_values_biases_included() -> None:
    """With all weights dropped but some, what is left is the values of those, scaled up."""
    attention = NewestAttention(8, 2, dropout=0.5).train()
    with torch.no_grad():
        attention.projections.in_proj_weight[16:].zero_()  # values are their bias alone
        attention.projections.in_proj_bias[16:].fill_(1.0)
        attention.projections.out_proj.weight.copy_(torch.eye(8))
        attended = attention(torch.randn(2000, 7, 8))
    assert attended.std() > 0.1
    assert attended.mean().item() == pytest.approx(1.0, abs=0.03)


def test_parts_are_all_parameters_of_the_encoder_from_the_top_down() -> None:
    encoder = VolatilityNetwork(read_config().network).encoder
    parts = encoder.parts
    assert len(parts) == 4
    flat = [parameter for part in parts for parameter in part]
    assert {id(parameter) for parameter in flat} == {id(p) for p in encoder.parameters()}
    assert len(flat) == len(list(encoder.parameters()))
    assert parts[-1][0] is encoder.lstm.weight_ih_l0
