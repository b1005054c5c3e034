"""The paper's three questions, answered from the numbers of this run."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.evaluation.sentences import SIGNIFICANT
from training.reproduction import paper
from training.reproduction.evidence import against, improvement
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.names import LABELS
from training.reproduction.table import probability
from training.reproduction.tables.hurst import Asset, assets_of
from training.reproduction.tables.transfer import SCRATCH, dm_tests, pvalue_of
from training.reproduction.units import NETWORKS
from volatility.hurst import HurstReport

TRANSFER = "transfer"
HARS = ("har", "har_of_training_part")
HELPS = (
    "Transfer counts as helping where two tests say so at 5 %: one across seeds, that pre-trained "
    "networks have a lower RMSE than networks from scratch, which tells luck in training; and "
    "Diebold-Mariano's for more than half of the seeds, which tells luck in the rows tested."
)
LEVEL = SIGNIFICANT / len(NETWORKS)  # Bonferroni: one of many networks is better by chance
BETTER = (
    "A network counts as better where its RMSE is lower on average over seeds, and a "
    f"Diebold-Mariano test says so for more than half of the seeds at 5 % / {len(NETWORKS)}, since "
    f"there are {len(NETWORKS)} networks; against both the HAR of the paper, fitted on training "
    "and validation part, and a HAR fitted on the training part alone, as the HARs inside the "
    "networks are."
)


@dataclass(frozen=True)
class Answer:
    """A question of the paper.

    Attributes
    ----------
    question : as a reader asks it.
    short : the answer.
    reasons : sentences with the numbers behind it.
    """

    question: str
    short: str
    reasons: Sequence[str]


def answers_of(results: Results) -> list[Answer]:
    """Does transfer help, does a network beat HAR, is volatility rough."""
    return [
        does_transfer_help(results),
        does_a_network_beat_har(results),
        is_volatility_rough(results),
    ]


def does_transfer_help(results: Results) -> Answer:
    """By the RMSE of the paper's transferred network and of the same network from scratch."""
    gain, pvalue = paper.IMPROVEMENTS["rmse"]
    return Answer(
        "Does transfer learning from the S&P 500 help to forecast Bitcoin?",
        _by_protocol(
            {protocol: _transfer_verdict(results, protocol) for protocol in ScoringProtocol}
        ),
        [
            HELPS,
            f"Printed: an RMSE better by {gain.lstrip('+')} %, p {pvalue}.",
            *(_transfer_reason(results, protocol) for protocol in ScoringProtocol),
        ],
    )


def does_a_network_beat_har(results: Results) -> Answer:
    """By the RMSE and the Diebold-Mariano tests of all networks."""
    beating = {protocol: networks_that_beat_har(results, protocol) for protocol in ScoringProtocol}
    return Answer(
        "Does any network beat HAR?",
        _by_protocol(
            {protocol: "yes" if beating[protocol] else "no" for protocol in ScoringProtocol}
        ),
        [
            BETTER,
            *(_har_reason(results, protocol, beating[protocol]) for protocol in ScoringProtocol),
        ],
    )


def is_volatility_rough(results: Results) -> Answer:
    """By the verdicts of the project's Hurst report."""
    assets = assets_of(results)
    published = {asset.name: _verdict(asset.published_report) for asset in assets}
    daily = {asset.name: _verdict(asset.daily_report) for asset in assets}
    return Answer(
        "Is volatility rough?",
        f"On the published series, {_listed(published)}; on a daily measure without overlap, "
        f"{_listed(daily)}.",
        [_rough_reason(asset) for asset in assets],
    )


def networks_that_beat_har(results: Results, protocol: ScoringProtocol) -> list[str]:
    """Lower RMSE than both HARs on average, significantly for more than half of the seeds."""
    return [name for name in NETWORKS if all(_beats(results, name, har, protocol) for har in HARS)]


def _beats(results: Results, name: str, har: str, protocol: ScoringProtocol) -> bool:
    tests = against(results, results.on(protocol).benchmarks[har], name, protocol)
    significant = sum(test.favours_model(LEVEL) for test in tests)
    rmse, baseline = (_mean_rmse(results, model, protocol) for model in (name, har))
    return rmse < baseline and 2 * significant > len(tests)


def _transfer_verdict(results: Results, protocol: ScoringProtocol) -> str:
    if not pvalue_of(results, TRANSFER, protocol, "rmse") < SIGNIFICANT:  # NaN with one seed
        return "no difference that these seeds can tell"
    tests = dm_tests(results, TRANSFER, protocol)
    better = _transfer_gain(results, protocol) > 0
    agree = sum(
        test.favours_model(SIGNIFICANT) if better else test.favours_baseline(SIGNIFICANT)
        for test in tests
    )
    if 2 * agree <= len(tests):
        direction = "better" if better else "worse"
        return f"{direction} across seeds, no more than chance in the rows tested"
    return "yes" if better else "no, it makes forecasts worse"


def _transfer_reason(results: Results, protocol: ScoringProtocol) -> str:
    changes = {score: _transfer_gain(results, protocol, score) for score in ("rmse", "mae")}
    rmse, mae = (f"{'better' if it > 0 else 'worse'} by {abs(it):.1f} %" for it in changes.values())
    seeds = len(results.seeds)
    across = _p(pvalue_of(results, TRANSFER, protocol, "rmse"))
    test = f"{across} across {seeds} seeds" if seeds > 1 else "one seed, no test across seeds"
    tests = _p(statistics.median(one.pvalue for one in dm_tests(results, TRANSFER, protocol)))
    return (
        f"{_capitalized(protocol)}: RMSE {_mean_rmse(results, SCRATCH, protocol):.4f} from scratch "
        f"and {_mean_rmse(results, TRANSFER, protocol):.4f} with pre-training, {rmse} ({test}; "
        f"Diebold-Mariano {tests}); MAE {mae}. HAR has "
        f"{_mean_rmse(results, 'har', protocol):.4f}."
    )


def _p(pvalue: float) -> str:
    shown = probability(pvalue)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _transfer_gain(results: Results, protocol: ScoringProtocol, score: str = "rmse") -> float:
    scratch, transferred = (
        statistics.fmean(results.scores(model, protocol, score)) for model in (SCRATCH, TRANSFER)
    )
    return improvement(score, scratch, transferred)


def _har_reason(results: Results, protocol: ScoringProtocol, beating: Sequence[str]) -> str:
    best = min(NETWORKS, key=lambda name: _mean_rmse(results, name, protocol))
    rmse = {name: _mean_rmse(results, name, protocol) for name in (*HARS, "last_value", best)}
    names = ", ".join(LABELS[name] for name in beating)
    return (
        f"{_capitalized(protocol)}: {f'better: {names}' if beating else 'none is better'}. The "
        f"lowest RMSE of a network is {rmse[best]:.4f} ({LABELS[best]}). HAR has "
        f"{rmse['har']:.4f}, a HAR fitted on the training part alone "
        f"{rmse['har_of_training_part']:.4f}, the last value {rmse['last_value']:.4f}."
        f"{_last_value_by_mae(results, protocol)}"
    )


def _last_value_by_mae(results: Results, protocol: ScoringProtocol) -> str:
    """A sentence where HAR, which RMSE favours, loses by MAE to no model at all."""
    mae = {name: _mean(results, name, protocol, "mae") for name in ("har", "last_value")}
    if mae["last_value"] >= mae["har"]:
        return ""
    return f" By MAE the last value, {mae['last_value']:.4f}, is nearer than HAR, {mae['har']:.4f}."


def _mean_rmse(results: Results, name: str, protocol: ScoringProtocol) -> float:
    return _mean(results, name, protocol, "rmse")


def _mean(results: Results, name: str, protocol: ScoringProtocol, score: str) -> float:
    """Of a score over the seeds."""
    return statistics.fmean(results.scores(name, protocol, score))


def _rough_reason(asset: Asset) -> str:
    values = paper.HURST[asset.name]
    exponents = [values[name] for name in ("rescaled_range", "dfa", "variogram")]
    return (
        f"{asset.name}: printed H from {min(exponents)} to {max(exponents)}. Published series: "
        f"{asset.published_report.reason}. Daily measure ({asset.daily.series.measure}): "
        f"{asset.daily_report.reason}."
    )


def _verdict(report: HurstReport) -> str:
    words = {
        "rough": "yes",
        "not_rough": "no",
        "several_scales": "it cannot be told, a few scales explain it as well",
        "artefact": "it cannot be told, the estimates are an artefact of the rolling window",
        "inconclusive": "it cannot be told",
    }
    return words[report.verdict]


def _by_protocol(verdicts: Mapping[ScoringProtocol, str]) -> str:
    return _capitalized(_listed({str(protocol): said for protocol, said in verdicts.items()})) + "."


def _listed(said: Mapping[str, str]) -> str:
    """What is said of whom; once where the same is said of all."""
    if len(set(said.values())) == 1:
        return f"{next(iter(said.values()))} ({', '.join(said)})"
    return "; ".join(f"{who}: {what}" for who, what in said.items())


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
