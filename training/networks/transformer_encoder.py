"""A small Transformer over one window.

After Vaswani et al. (2017), Advances in Neural Information Processing Systems 30, but normalized
before each layer rather than after it, which needs no warm-up of the learning rate (Xiong et al.
2020, International Conference on Machine Learning).
"""

import math

import torch
from torch import Tensor, nn

from training.config import NetworkConfig, TransformerConfig

LONGEST_WAVE = 10_000.0  # Vaswani et al. (2017), section 3.5


class TransformerEncoder(nn.Module):
    """Positions, layers of self-attention and a bottleneck."""

    positions: Tensor

    def __init__(self, config: NetworkConfig, transformer: TransformerConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.embedding = nn.Linear(1, size)
        self.register_buffer("positions", positional_encoding(config.lookback, size))
        self.layers = nn.ModuleList(
            TransformerLayer(config, transformer.feedforward) for _ in range(transformer.layers)
        )
        self.norm = nn.LayerNorm(size)
        self.bottleneck = nn.Linear(size, config.bottleneck)

    def forward(self, scaled: Tensor) -> Tensor:
        """Encode (batch, lookback) standardized log rv; (batch, bottleneck)."""
        states = self.embedding(scaled.unsqueeze(-1)) + self.positions  # (batch, lookback, hidden)
        *inner, last = self.layers
        for layer in inner:
            states = layer(states, states)
        newest = last(states[:, -1:], states)  # only that state is used, so only it is computed
        return torch.relu(self.bottleneck(self.norm(newest.squeeze(1))))


class TransformerLayer(nn.Module):
    """Self-attention and two linear layers, each added to what it was given."""

    def __init__(self, config: NetworkConfig, feedforward: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.attention_norm = nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(
            size, config.heads, dropout=config.dropout, batch_first=True
        )
        self.feedforward = nn.Sequential(
            nn.LayerNorm(size),
            nn.Linear(size, feedforward),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(feedforward, size),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, queries: Tensor, states: Tensor) -> Tensor:
        """New (batch, queries, hidden) states for some of the (batch, lookback, hidden) ones."""
        keys = self.attention_norm(states)
        attended, _ = self.attention(self.attention_norm(queries), keys, keys, need_weights=False)
        queries = queries + self.dropout(attended)
        new: Tensor = queries + self.dropout(self.feedforward(queries))
        return new


def positional_encoding(length: int, size: int) -> Tensor:
    r"""Sines and cosines by which states know their place; (length, size).

    Notes
    -----
    .. math:: p_{t, 2i} = \sin(t / 10000^{2i/d}), \quad p_{t, 2i+1} = \cos(t / 10000^{2i/d})

    References
    ----------
    Vaswani et al. (2017), section 3.5.
    """
    places = torch.arange(length).unsqueeze(1)
    frequencies = torch.exp(torch.arange(0, size, 2) * (-math.log(LONGEST_WAVE) / size))
    encoding = torch.zeros(length, size)
    encoding[:, 0::2] = torch.sin(places * frequencies)
    encoding[:, 1::2] = torch.cos(places * frequencies)[:, : size // 2]
    return encoding
