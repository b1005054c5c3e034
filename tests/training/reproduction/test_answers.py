from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tests.training.reproduction.stand_in import SEEDS, stand_in_results
from training.reproduction import answers
from training.reproduction.answers import (
    answers_of,
    does_a_network_beat_har,
    does_transfer_help,
    is_volatility_rough,
    networks_that_beat_har,
)
from training.reproduction.evidence import AccuracyTest
from training.reproduction.forecasts import Network, Results, SampleResults, ScoringProtocol
from training.reproduction.protocol import Track


def shifted(results: Results, errors: Mapping[str, Sequence[float]]) -> Results:
    """The same results with forecasts of some networks that miss by noise of given sizes."""

    def networks(sample: SampleResults) -> dict[str, Sequence[Network]]:
        return dict(sample.networks) | {
            name: [
                Network(one.seed, missing(sample, one.track, size, one.seed), one.trained)
                for one, size in zip(sample.networks[name], sizes, strict=True)
            ]
            for name, sizes in errors.items()
        }

    samples = (results.published, results.daily)
    published, daily = (SampleResults(sample.sample, networks(sample)) for sample in samples)
    return Results(results.data, results.config, results.seeds, published, daily)


def missing(sample: SampleResults, track: Track, size: float, seed: int) -> Track:
    noise = np.random.default_rng(seed).standard_normal(len(track))
    return Track(track.times, sample.outcome.at(track.times) + size * noise)


def test_three_questions_are_answered_from_the_run() -> None:
    given = answers_of(stand_in_results())
    assert [answer.question.split()[0] for answer in given] == ["Does", "Does", "Is"]
    for answer in given[:2]:
        for protocol in ScoringProtocol:
            assert any(str(protocol) in reason.lower() for reason in answer.reasons)


def test_transfer_helps_where_all_seeds_say_so() -> None:
    better = shifted(stand_in_results(), {"lstm": (0.40, 0.41), "transfer": (0.10, 0.11)})
    aligned = ScoringProtocol.ALIGNED
    answer = does_transfer_help(better)
    assert "yes" in answer.short.lower()
    reason = next(one for one in answer.reasons if one.startswith("Aligned"))
    lstm, transfer = (
        np.mean(better.scores(model, aligned, "rmse")) for model in ("lstm", "transfer")
    )
    assert f"RMSE {lstm:.4f} from scratch and {transfer:.4f} with pre-training" in reason
    assert "p = " in reason
    assert f"across {len(SEEDS)} seeds" in reason


def test_transfer_that_harms_is_said_to() -> None:
    worse = shifted(stand_in_results(), {"lstm": (0.10, 0.11), "transfer": (0.40, 0.41)})
    assert "no, it makes forecasts worse" in does_transfer_help(worse).short.lower()


def test_seeds_that_differ_as_much_as_networks_decide_nothing() -> None:
    mixed = shifted(stand_in_results(), {"lstm": (0.10, 0.40), "transfer": (0.41, 0.12)})
    assert "no difference that these seeds can tell" in does_transfer_help(mixed).short.lower()


def test_a_gain_that_the_test_part_cannot_tell_from_chance_is_not_a_yes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    better = shifted(stand_in_results(), {"lstm": (0.40, 0.41), "transfer": (0.10, 0.11)})
    monkeypatch.setattr(answers, "pvalue_of", lambda *_: 0.01)
    chance, better_too, worse = (2.0, 0.2), (2.0, 0.04), (-2.0, 0.03)
    for found, expected in (
        ((chance, better_too), "better across seeds, no more"),
        ((worse, worse), "better across seeds, no more"),
        (((2.0, 0.03), better_too), "yes"),
    ):
        tests = [AccuracyTest(*one) for one in found]
        monkeypatch.setattr(answers, "dm_tests", lambda *_, tests=tests: tests)
        answer = does_transfer_help(better)
        assert answer.short.lower().startswith(expected)
    assert any("Diebold-Mariano p = 0.035" in reason for reason in answer.reasons)


def test_one_seed_decides_nothing() -> None:
    results = stand_in_results()
    alone = Results(
        results.data,
        results.config,
        SEEDS[:1],
        *(
            SampleResults(
                sample.sample, {name: several[:1] for name, several in sample.networks.items()}
            )
            for sample in (results.published, results.daily)
        ),
    )
    answer = does_transfer_help(alone)
    assert "no difference" in answer.short.lower()
    assert any("one seed, no test across seeds" in reason for reason in answer.reasons)


def test_a_network_that_is_nearly_right_beats_har() -> None:
    better = shifted(stand_in_results(), {"hybrid": (0.001, 0.001)})
    for protocol in ScoringProtocol:
        assert "hybrid" in networks_that_beat_har(better, protocol)
    answer = does_a_network_beat_har(better)
    assert answer.short.startswith("Yes")
    assert any("HAR-LSTM hybrid" in reason for reason in answer.reasons)


def test_a_network_that_is_nearly_right_for_its_own_hour_does_not_by_position() -> None:
    better = shifted(stand_in_results(), {"lstm": (0.001, 0.001)})
    assert "lstm" in networks_that_beat_har(better, ScoringProtocol.ALIGNED)
    assert "lstm" not in networks_that_beat_har(better, ScoringProtocol.SAME)


def test_half_of_the_seeds_are_not_enough() -> None:
    half = shifted(stand_in_results(), {"hybrid": (0.001, 1.0)})
    assert "hybrid" not in networks_that_beat_har(half, ScoringProtocol.ALIGNED)


def test_har_itself_does_not_beat_har() -> None:
    """Residual networks that have learned nothing are the HAR of the training part."""
    results = stand_in_results()
    har = results.published.benchmarks["har_of_training_part"]
    same = [Network(one.seed, har, one.trained) for one in results.published.networks["hybrid"]]
    sample = SampleResults(
        results.published.sample, dict(results.published.networks) | {"hybrid": same}
    )
    copied = Results(results.data, results.config, results.seeds, sample, results.daily)
    assert "hybrid" not in networks_that_beat_har(copied, ScoringProtocol.ALIGNED)


def test_the_rolling_window_is_seen() -> None:
    answer = is_volatility_rough(stand_in_results())
    published = answer.short.partition("on a daily measure")[0]
    assert "artefact of the rolling window" in published
    assert any("rolling window of 24" in reason for reason in answer.reasons)


@pytest.mark.parametrize("word", ["fake", "fraud", "cheat", "wrong"])
def test_nobody_is_accused(word: str) -> None:
    for answer in answers_of(stand_in_results()):
        assert word not in " ".join([answer.short, *answer.reasons]).lower()
