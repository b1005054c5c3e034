"""The network of Dhansoia (2025), section 3.3 and Table 7.

With the paper's sizes it has 106,785 parameters, as many as the checkpoint published with the
paper; the paper's Table 7 prints 60,097.
"""

import math

import torch
from torch import Tensor, nn

from training.config import NetworkConfig


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


class NewestAttention(nn.Module):
    r"""Multi-head self-attention from the newest session alone.

    The same numbers as those of :class:`torch.nn.MultiheadAttention`, whose parameters it has, in a
    third of the time: for one query, keys and values of all sessions need not be computed.

    Notes
    -----
    In each head, with the newest state's query q,

    .. math::
       q \cdot (W_k s_t + b_k) &= (W_k^\top q) \cdot s_t + \text{const}, \\
       \sum_t w_t (W_v s_t + b_v) &= W_v \sum_t w_t s_t + b_v \sum_t w_t

    The constant cancels in the softmax, so that :math:`b_k` plays no part; dropout makes the sum of
    the weights other than one.
    """

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = nn.Dropout(dropout)
        self.projections = nn.MultiheadAttention(size, heads)

    def forward(self, states: Tensor) -> Tensor:
        """Attend to (batch, lookback, hidden) states; (batch, hidden)."""
        size, heads = states.shape[-1], self.heads
        width = size // heads
        queries, keys, values = self.projections.in_proj_weight.view(3, heads, width, size)
        query_bias, _, value_bias = self.projections.in_proj_bias.view(3, heads, 1, width)
        newest = states[:, -1].expand(heads, -1, -1)  # (heads, batch, hidden)
        query = torch.baddbmm(query_bias, newest, queries.transpose(1, 2))  # (heads, batch, width)
        asked = torch.bmm(query, keys).transpose(0, 1)  # (batch, heads, hidden)
        scores = torch.bmm(asked, states.transpose(1, 2)) / math.sqrt(width)
        weights = self.dropout(torch.softmax(scores, dim=-1))  # (batch, heads, lookback)
        pooled = torch.bmm(weights, states).transpose(0, 1)  # (heads, batch, hidden)
        total = weights.sum(dim=-1).t().unsqueeze(-1)  # (heads, batch, 1)
        attended = torch.bmm(pooled, values.transpose(1, 2)) + total * value_bias
        joined: Tensor = self.projections.out_proj(attended.transpose(0, 1).flatten(1))
        return joined


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
        self.attention = NewestAttention(size, config.heads, config.dropout)
        self.bottleneck = nn.Linear(size, config.bottleneck)

    def forward(self, scaled: Tensor) -> Tensor:
        """Encode (batch, lookback) standardized log rv; (batch, bottleneck)."""
        states, _ = self.lstm(scaled.unsqueeze(-1))  # (batch, lookback, hidden)
        newest = self.attention(self.norm(states))  # (batch, hidden)
        return torch.relu(self.bottleneck(newest))

    @property
    def parts(self) -> list[list[nn.Parameter]]:
        """Parameters from the top down: what follows the LSTM, then its layers, last one first."""
        top = [*self.norm.parameters(), *self.attention.parameters(), *self.bottleneck.parameters()]
        layers = [
            [getattr(self.lstm, name) for name in names]
            for names in self.lstm._all_weights  # noqa: SLF001
        ]
        return [top, *reversed(layers)]


class VolatilityNetwork(nn.Module):
    """Raw log rv in, log rv of the next session out."""

    def __init__(self, config: NetworkConfig, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.lookback = config.lookback
        self.scaler = Scaler()
        self.encoder = Encoder(config) if encoder is None else encoder
        self.head = make_head(config, config.bottleneck)

    def encode(self, log_rv: Tensor) -> Tensor:
        """Encode (batch, lookback or more) log rv; (batch, bottleneck)."""
        encoding: Tensor = self.encoder(self.scaler(log_rv[:, -self.lookback :]))
        return encoding

    def decode(self, encoding: Tensor) -> Tensor:
        """Predict log rv from (batch, bottleneck) encodings; (batch,)."""
        return self.scaler.inverse(self.head(encoding).squeeze(-1))

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, lookback or more) log rv; (batch,)."""
        return self.decode(self.encode(log_rv))


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
