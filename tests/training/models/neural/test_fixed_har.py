import numpy as np
import pytest
import torch

from training.models.neural.fixed_har import FixedHar, har_means
from training.networks.fitting import LogWindows


def test_means_by_hand() -> None:
    log_rv = torch.arange(24.0).unsqueeze(0)  # 0 … 23, of which the oldest two are not used
    assert har_means(log_rv).tolist() == [[23.0, 21.0, 12.5]]


def test_known_coefficients_are_found_and_kept_out_of_training() -> None:
    inputs = torch.from_numpy(np.random.default_rng(0).standard_normal((300, 22))).float() - 9
    targets = -0.5 + har_means(inputs) @ torch.tensor([0.4, 0.3, 0.2])
    har = FixedHar()
    har.fit(LogWindows(inputs, targets))
    assert har.coefficients.tolist() == pytest.approx([0.4, 0.3, 0.2], abs=1e-4)
    assert har.intercept.item() == pytest.approx(-0.5, abs=1e-3)
    torch.testing.assert_close(har(inputs), targets, rtol=0, atol=1e-4)
    assert list(har.parameters()) == []
