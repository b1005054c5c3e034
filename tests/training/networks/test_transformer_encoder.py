import math

import torch

from tests.training.simulated import small_config
from training.networks.transformer_encoder import TransformerEncoder, positional_encoding


def encoder() -> TransformerEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TransformerEncoder(small_config().network, small_config().transformer).eval()


def test_positions_by_hand() -> None:
    encoding = positional_encoding(3, 4)
    expected = [  # sin and cos of t, then of t / 100
        [0, 1, 0, 1],
        [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)],
        [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)],
    ]
    torch.testing.assert_close(encoding, torch.tensor(expected))
    assert positional_encoding(5, 7).shape == (5, 7)


def test_the_order_of_days_matters() -> None:
    windows = torch.randn(2, 10)
    shuffled = torch.cat([windows[:, :5].flip(1), windows[:, 5:]], dim=1)
    network = encoder()
    with torch.no_grad():
        assert not torch.allclose(network(windows), network(shuffled))
        network.positions.zero_()
        # Without positions, attention from the newest day sees the others as a set.
        torch.testing.assert_close(network(windows), network(shuffled))


def test_every_day_of_the_window_is_seen() -> None:
    network = encoder()
    window = torch.randn(1, 10)
    with torch.no_grad():
        reference = network(window)
        for day in range(10):
            changed = window.clone()
            changed[0, day] += 1.0
            assert not torch.equal(network(changed), reference)


def test_only_the_newest_query_of_the_last_layer_is_computed_and_nothing_else_is_lost() -> None:
    network = encoder()
    windows = torch.randn(3, 10)
    with torch.no_grad():
        states = network.embedding(windows.unsqueeze(-1)) + network.positions
        for layer in network.layers:
            states = layer(states, states)
        full = torch.relu(network.bottleneck(network.norm(states[:, -1])))
        torch.testing.assert_close(network(windows), full)
