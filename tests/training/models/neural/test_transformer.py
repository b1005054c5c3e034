from tests.training.processes import har_log_rv, split_of
from tests.training.simulated import small_config
from training.models.neural.lstm import lstm
from training.models.neural.transformer import transformer
from training.networks.transformer_encoder import TransformerEncoder
from training.networks.volatility_network import Encoder


def test_the_lstm_alone_is_replaced() -> None:
    training = split_of(har_log_rv(200, 3)).training
    network = transformer(small_config()).build(training)
    paper = lstm(small_config()).build(training)
    assert isinstance(paper.encoder, Encoder)
    assert isinstance(network.encoder, TransformerEncoder)
    assert len(network.encoder.layers) == 2
    assert network.encoder.bottleneck.weight.shape == paper.encoder.bottleneck.weight.shape
    assert [p.shape for p in network.head.parameters()] == [
        p.shape for p in paper.head.parameters()
    ]


def test_hyperparameters_name_what_is_used() -> None:
    chosen = transformer(small_config()).hyperparameters
    assert (chosen["transformer.layers"], chosen["transformer.feedforward"]) == (2, 16)
    assert chosen["network.heads"] == 2
    assert "network.layers" not in chosen  # the LSTM's
