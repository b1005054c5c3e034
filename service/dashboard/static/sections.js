// What an asset's page and that of one's own series both show.

import * as charts from "./charts.js";
import { NONE, day, el, number, percent, sessions, significant, signedPercent, whole, words } from "./format.js";

export const HORIZONS = [1, 5, 10, 22];
const FEW = 100; // errors, of which less than three lie beyond each bound at 95 %
export const LEVELS = [0.8, 0.95];
const LENGTHS = [[63, "63 sessions"], [126, "126"], [252, "252"]];
const text = (value) => value ?? NONE;

export function figures(place, entries) {
  place.replaceChildren(
    ...entries.map(([name, value, under]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value, under ? el("span", { class: "under" }, under) : null)),
    ),
  );
}

export function warnings(place, all) {
  const said = [...new Set(all)];
  if (!said.length) return;
  const list = el("ul", {}, ...said.map((it) => el("li", {}, it)));
  const title = said.length === 1 ? "One thing to know" : `${said.length} things to know`;
  place.replaceChildren(el("details", { class: "warning", open: said.length < 3 }, el("summary", {}, title), list));
}

// Names of an interval's columns, as in CSV of the API.
function boundsOf(level) {
  return ["lower", "upper"].map((side) => `volatility_annualized_${side}_${level * 100}`);
}

// One step a horizon, each with everything that the answer at that horizon alone has.
export function stepsOf(answer) {
  return answer.term_structure ?? [answer];
}

export function headline(answer, last) {
  const [next] = stepsOf(answer);
  const interval = next.intervals.find((it) => it.level === 0.8);
  const skill = next.skill ?? answer.skill;
  const observed = interval && interval.coverage_observed !== null ? `held ${percent(interval.coverage_observed)} of ${whole(interval.nobs)}, ${interval.observed === "live" ? "live" : "test part"}` : null;
  return [
    [answer.target_date ? `Forecast for ${day(answer.target_date)}` : "Forecast of the next session", percent(next.volatility_annualized), "annualized volatility"],
    ["80 % interval", interval ? `${percent(interval.volatility_annualized[0])} – ${percent(interval.volatility_annualized[1])}` : NONE, observed],
    ["Last session", percent(last), last ? `${signedPercent(next.volatility_annualized / last - 1, 0)} to the forecast` : null],
    ["Model", words(answer.model), skill ? `QLIKE ${number(skill.qlike_ratio, 2)} of ${skill.baseline.toUpperCase()}’s, p ${number(skill.dm_pvalue, 3)}` : `version ${answer.model_version}`],
  ];
}

export function showFan(panel, history, answer, name) {
  const steps = stepsOf(answer);
  panel.heading.textContent = `Realized volatility of ${name}, and its forecast ${steps.length > 1 ? `up to ${sessions(steps.at(-1).horizon)} ahead` : "of the next session"}`;
  const interval = (step, level, side) => step.intervals.find((it) => it.level === level)?.volatility_annualized[side];
  const columns = [
    ["session", text], ["volatility_annualized", (it) => percent(it, 2)],
    ...LEVELS.flatMap(boundsOf).map((name) => [name, (it) => percent(it, 2)]),
  ];
  const show = (count) => {
    const ahead = steps.map((it) => [`mean of the next ${it.horizon}`, it.volatility_annualized, interval(it, 0.8, 0), interval(it, 0.8, 1), interval(it, 0.95, 0), interval(it, 0.95, 1)]).reverse();
    const past = history.dates.map((it, at) => [it, history.volatility_annualized[at]]).slice(-count).reverse();
    panel.show({
      says: `Annualized, on a log scale; ${words(answer.measure)}, sessions up to ${day(answer.as_of)}. Points ahead are the mean of so many sessions, by ${answer.model}.`,
      figure: charts.fan(history.dates, history.volatility_annualized, steps, count),
      label: `Volatility was ${percent(history.volatility_annualized.at(-1))} in the last session. The forecast is ${steps.map((it) => `${percent(it.volatility_annualized)} over ${sessions(it.horizon)}`).join(", ")}.`,
      columns,
      rows: [...ahead, ...past.map((row) => [...row, null, null, null, null])],
    });
  };
  const lengths = LENGTHS.filter(([count], at) => !at || history.dates.length > LENGTHS[at - 1][0]);
  const first = Math.min(126, lengths.at(-1)[0]);
  if (lengths.length > 1) panel.choices(lengths, first, show);
  show(first);
}

export function showTerm(panel, answer) {
  const steps = stepsOf(answer);
  const columns = [["horizon", whole], ["volatility_annualized", (it) => percent(it, 2)], ...LEVELS.flatMap((level) =>
    [...boundsOf(level), `coverage_observed_${level * 100}`].map((name) => [name, (it) => percent(it, 2)])), ["effective_nobs", whole]];
  const rows = steps.map((step) => [step.horizon, step.volatility_annualized, ...LEVELS.flatMap((level) => {
    const found = step.intervals.find((it) => it.level === level);
    return found ? [...found.volatility_annualized, found.coverage_observed] : [null, null, null];
  }), step.calibration.effective_nobs]);
  const last = steps.at(-1);
  panel.show({
    says: `Mean annualized volatility of the next sessions from ${answer.target_date ? day(answer.target_date) : "the next one"} on, with 80 and 95 % intervals. Those over ${sessions(last.horizon)} are made of ${whole(last.calibration.nobs)} past errors, worth ${whole(last.calibration.effective_nobs)} that share no session${last.calibration.effective_nobs < FEW ? ": at 95 % they reach to nearly the farthest of them" : ""}.`,
    figure: charts.termStructure(steps),
    label: `The term structure goes from ${percent(steps[0].volatility_annualized)} for the next session to ${percent(steps.at(-1).volatility_annualized)} over ${sessions(steps.at(-1).horizon)}.`,
    columns, rows,
  });
}

export function showCone(panel, answer) {
  const newest = answer.rows.find((it) => it.window === 22) ?? answer.rows.at(-1);
  const longest = answer.rows.at(-1);
  panel.show({
    says: `Quantiles of annualized volatility by window, over ${sessions(answer.nobs)} up to ${day(answer.as_of)}. Windows overlap: side by side there are ${whole(Math.floor(answer.nobs / longest.window))} of ${longest.window}. Over the last ${sessions(newest.window)} it was at least as high as in ${percent(newest.rank, 0)} of such windows.`,
    figure: charts.cone(answer),
    label: `Volatility over the newest windows, against how it has been distributed: ${answer.rows.map((it) => `${percent(it.newest)} over ${sessions(it.window)}, rank ${percent(it.rank, 0)}`).join("; ")}.`,
    columns: [["window", whole], ["newest", (it) => percent(it, 2)], ["rank", (it) => percent(it)], ...answer.probabilities.map((it) => [`q${Math.round(it * 100)}`, (value) => percent(value, 2)]), ["windows", whole]],
    rows: answer.rows.map((it) => [it.window, it.newest, it.rank, ...it.quantiles, it.nobs]),
  });
}

export function showImpact(panel, answer) {
  const middle = answer.points[(answer.points.length - 1) / 2];
  panel.show({
    says: `Forecast for ${day(answer.target_date)}, had the session of ${day(answer.session)} returned otherwise, with the range expected of such a return; ${percent(answer.expected_volatility_annualized)} was forecast for that session. By ${answer.model}. The session as it was had a range of its own, so its forecast need not lie on the curve.`,
    figure: charts.newsImpact(answer),
    label: `After no return the forecast would be ${percent(middle.volatility_annualized)}, after the greatest fall shown ${percent(answer.points[0].volatility_annualized)}, after the greatest rise ${percent(answer.points.at(-1).volatility_annualized)}.`,
    columns: [["log_return", (it) => signedPercent(it, 2)], ["volatility_annualized", (it) => percent(it, 2)], ["rv", (it) => significant(it, 5)]],
    rows: answer.points.map((it) => [it.log_return, it.volatility_annualized, it.rv]),
  });
}

export function showMoved(panel, answer) {
  const { explanation } = stepsOf(answer)[0];
  const groups = Object.entries(explanation.groups).map(([name, value]) => ({ name: words(name), value }));
  const shown = groups.filter((it) => it.name !== "baseline");
  const unit = explanation.of === "log_rv" ? "log of the variance, where 0.69 doubles it" : "variance, decimal² per day";
  panel.show({
    says: `What was added to the forecast of a usual history, ${significant(explanation.groups.baseline, 4)}, up to ${significant(explanation.total, 4)}: ${unit}.`,
    figure: charts.contributions(shown),
    label: `Contributions: ${shown.map((it) => `${it.name} ${significant(it.value, 3)}`).join(", ")}.`,
    columns: [["contribution", text], ["group", words], ["member", text], ["value", (it) => significant(it, 4)], ["regressor", (it) => significant(it, 4)], ["usual", (it) => significant(it, 4)]],
    rows: explanation.contributions.map((it) => [it.name, it.group, it.member, it.value, it.regressor, it.usual]),
  });
}

const VERDICTS = {
  rough: "Rough", not_rough: "Not rough", several_scales: "Several scales", artefact: "An artefact of the measure", inconclusive: "Inconclusive",
};

export function showRough(panel, answer) {
  const named = answer.estimates.find((it) => it.estimator === answer.headline_estimator && it.points.length);
  const estimate = named ?? answer.estimates.find((it) => it.points.length);
  const says = [el("strong", {}, `${VERDICTS[answer.verdict]}. `), answer.reason];
  if (!estimate) {
    panel.nothing(el("span", {}, ...says), "No estimator has points to show.");
    return;
  }
  const columns = [["estimator", words], ["hurst", (it) => number(it)], ["standard_error", (it) => number(it)], ["lower", (it) => number(it)], ["upper", (it) => number(it)], ["fit_r_squared", (it) => number(it)]];
  const rows = answer.estimates.map((it) => [it.estimator, it.hurst, it.standard_error, it.interval?.[0], it.interval?.[1], it.fit_r_squared]);
  const show = (name) => {
    const shown = answer.estimates.find((it) => it.estimator === name);
    panel.show({
      says,
      figure: charts.scaling(shown),
      label: `Scaling of log volatility by ${words(name)}: H is ${number(shown.hurst)}. ${answer.reason}`,
      columns: [...columns, ["scale", (it) => significant(it, 4)], ["value", (it) => significant(it, 5)], ["corrected", (it) => significant(it, 5)], ["fitted", (it) => significant(it, 5)]],
      rows: [
        ...rows.map((row) => [...row, null, null, null, null]),
        ...shown.points.map((it) => [name, null, null, null, null, null, it.scale, it.value, it.corrected, it.fitted]),
      ],
    });
  };
  panel.choices(answer.estimates.filter((it) => it.points.length).map((it) => [it.estimator, words(it.estimator)]), estimate.estimator, show);
  show(estimate.estimator);
}
