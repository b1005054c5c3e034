"""The network of Dhansoia (2025), section 3.3 and Table 7.

With the paper's sizes it has 106,785 parameters, as many as the checkpoint published with the
paper; the paper's Table 7 prints 60,097.
"""

import torch
from torch import Tensor, nn

from training.config import NetworkConfig
from training.networks.fitting import EncodesFirst


class Scaler(nn.Module):
    """Mean and deviation of the training part, kept inside the network and its ONNX graph."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    def fit(self, values: Tensor) -> None:
        """Take mean and deviation of ``values``, of any shape."""
        self.mean.copy_(values.mean())
        self.deviation.copy_(values.std())

    def forward(self, values: Tensor) -> Tensor:
        """To zero mean and unit deviation."""
        return (values - self.mean) / self.deviation

    def inverse(self, scaled: Tensor) -> Tensor:
        """Back to the units of the data."""
        return self.mean + self.deviation * scaled


class Encoder(nn.Module):
    """LSTM, layer normalization, self-attention and a bottleneck."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.lstm = nn.LSTM(
            input_size=1,
            hidden_size=size,
            num_layers=config.layers,
            dropout=config.dropout if config.layers > 1 else 0.0,  # it acts between layers
            batch_first=True,
        )
        self.norm = nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(
            size, config.heads, dropout=config.dropout, batch_first=True
        )
        self.bottleneck = nn.Linear(size, config.bottleneck)

    def forward(self, scaled: Tensor) -> Tensor:
        """Encode (batch, lookback) standardized log rv; (batch, bottleneck)."""
        states, _ = self.lstm(scaled.unsqueeze(-1))  # (batch, lookback, hidden)
        states = self.norm(states)
        # Only the newest session's query is used, so only that one is computed.
        newest, _ = self.attention(states[:, -1:], states, states, need_weights=False)
        return torch.relu(self.bottleneck(newest.squeeze(1)))

    @property
    def parts(self) -> list[list[nn.Parameter]]:
        """Parameters from the top down: what follows the LSTM, then its layers, last one first."""
        top = [*self.norm.parameters(), *self.attention.parameters(), *self.bottleneck.parameters()]
        layers = [
            [getattr(self.lstm, name) for name in names]
            for names in self.lstm._all_weights  # noqa: SLF001
        ]
        return [top, *reversed(layers)]


class VolatilityNetwork(EncodesFirst):
    """Raw log rv in, log rv of the next session out."""

    def __init__(self, config: NetworkConfig, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.lookback = config.lookback
        self.scaler = Scaler()
        self.encoder = Encoder(config) if encoder is None else encoder
        self.head = make_head(config, config.bottleneck)

    @property
    def encoder_parts(self) -> list[list[nn.Parameter]]:
        """The encoder's parameters from the top down."""
        assert isinstance(self.encoder, Encoder), "only the layers of the paper's are told apart"
        return self.encoder.parts

    def encode(self, log_rv: Tensor) -> Tensor:
        """Encode (batch, lookback or more) log rv; (batch, bottleneck)."""
        encoding: Tensor = self.encoder(self.scaler(log_rv[:, -self.lookback :]))
        return encoding

    def decode(self, encoding: Tensor) -> Tensor:
        """Predict log rv from (batch, bottleneck) encodings; (batch,)."""
        return self.scaler.inverse(self.head(encoding).squeeze(-1))


def make_head(config: NetworkConfig, inputs: int) -> nn.Sequential:
    """From (batch, inputs) encodings to (batch, 1) standardized values."""
    return nn.Sequential(
        nn.Linear(inputs, config.hidden_size),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden_size, config.bottleneck),
        nn.ReLU(),
        nn.Linear(config.bottleneck, 1),
    )


def parameter_counts(network: VolatilityNetwork) -> dict[str, int]:
    """Parameters of each component of the paper's network, and of all of it."""
    encoder = network.encoder
    assert isinstance(encoder, Encoder), "the components are those of the paper's encoder"
    components: dict[str, nn.Module] = {
        "lstm": encoder.lstm,
        "norm": encoder.norm,
        "attention": encoder.attention,
        "bottleneck": encoder.bottleneck,
        "predictor": network.head,
        "total": network,
    }
    return {
        name: sum(parameter.numel() for parameter in module.parameters())
        for name, module in components.items()
    }
