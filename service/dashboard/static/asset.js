// One asset: each panel asks for its own numbers, and says itself what is wrong with them.

import { Problem, ask, post, problemBox } from "./api.js";
import * as charts from "./charts.js";
import { NONE, day, el, number, percent, sentence, sessions, signedPercent, whole, words } from "./format.js";
import { Panel } from "./panel.js";
import { HORIZONS, LEVELS, figures, headline, showCone, showFan, showImpact, showMoved, showRough, showTerm, stepsOf, warnings } from "./sections.js";

const asset = document.getElementById("asset").dataset.asset;
const path = encodeURIComponent(asset);
const slug = asset.toLowerCase().replace(/[^a-z0-9]+/g, "-");
const place = document.getElementById("panels");
const summary = document.getElementById("summary");
const LINES = 5; // of models that are drawn
const AHEAD = [[1, "1 session ahead"], [5, "5"], [22, "22"]];

const panel = (title, name, full = false) => new Panel(place, { title, file: `${slug}-${name}`, full });
const panels = {
  fan: panel(`Realized volatility of ${asset}, and its forecast`, "forecast", true),
  term: panel("Term structure of the forecast", "term-structure"),
  cone: panel("Volatility cone", "cone"),
  impact: panel("News impact: the next forecast by the last return", "news-impact"),
  moved: panel("What moved the forecast of the next session", "contributions"),
  rough: panel("Is volatility rough? Scaling of its log", "roughness"),
  live: panel("Live performance: coverage kept and promised", "performance"),
  losses: panel("Models compared: where each gained and lost", "losses", true),
};

// `wanted`: whether what comes is still what is asked for, and not of a choice that was left.
async function within(those, work, wanted = () => true) {
  try {
    await work();
  } catch (problem) {
    if (wanted()) for (const it of those) it.problem(problem);
  }
}

// For panels that an asset may do without: what it is too short for, or has no model for, is a
// fact about it and no fault of the request.
function ifAny(panel, work, wanted) {
  return within([panel], async () => {
    try {
      await work();
    } catch (problem) {
      if (![404, 422].includes(problem.status)) throw problem;
      if (!wanted || wanted()) panel.nothing("", sentence(problem.message));
    }
  }, wanted);
}

// The term structure, or the next session alone of a model that forecasts no further. Asked as a
// batch of one, in which being refused is no error of the request.
async function forecast() {
  const asked = { asset, levels: LEVELS, explain: true };
  for (const more of [{ horizons: HORIZONS }, {}]) {
    const { items: [answer] } = await post("/forecast/batch", { items: [{ ...asked, ...more }] });
    if (!answer.code) return answer;
    if (answer.code !== "unsupported_horizon") throw new Problem(answer.status, answer);
  }
  throw new Error("The model forecasts no single session.");
}

async function describe() {
  const { assets } = await ask("/assets");
  const found = assets.find((it) => it.asset === asset);
  if (!found) {
    summary.textContent = `This service holds no bars of ${asset}.`;
    return false;
  }
  const stale = found.stale_sessions ? `, ${sessions(found.stale_sessions)} stale` : "";
  const span = found.sessions ? `${sessions(found.sessions)} from ${day(found.first_session)} to ${day(found.last_session)}${stale}` : "no sessions held";
  summary.textContent = sentence(`${found.kind}, calendar ${found.calendar}; ${words(found.measure)}; ${span}.`);
  return true;
}

async function showForecast() {
  const asked = [panels.fan, panels.term, panels.moved];
  await within(asked, async () => {
    const [answer, history] = await Promise.all([forecast(), ask(`/assets/${path}/history?limit=252`)]);
    figures(document.getElementById("figures"), headline(answer, history.volatility_annualized.at(-1)));
    const reason = answer.degraded_reason ? [`Another model than the champion answers: ${answer.degraded_reason}`] : [];
    warnings(document.getElementById("warnings"), [...reason, ...stepsOf(answer).flatMap((it) => it.warnings ?? []), ...(answer.warnings ?? []), ...history.warnings]);
    showFan(panels.fan, history, answer, asset);
    showTerm(panels.term, answer);
    showMoved(panels.moved, answer);
  });
}

async function showLosses(horizon = 1) {
  const wanted = () => panels.losses.chosen === horizon;
  await ifAny(panels.losses, async () => {
    const compared = await ask(`/compare/${path}?horizon=${horizon}`);
    const answer = compared.rows.length > 1 ? await ask(`/compare/${path}/losses?horizon=${horizon}&limit=${LINES}`) : null;
    if (!wanted()) return;
    const inside = compared.rows.filter((it) => it.in_confidence_set).map((it) => words(it.model));
    const others = compared.rows.length - inside.length;
    const named = inside.length > 4 ? `${inside.length} of ${compared.rows.length} models` : inside.join(", ");
    const told = inside.length === 1
      ? `${inside[0]} is told apart from all others`
      : `${named} cannot be told apart from the best${others ? `; the other ${others} are worse` : ""}`;
    const says = `Test part, ${day(compared.span[0])} to ${day(compared.span[1])}, ${sessions(compared.nobs)}: at a confidence of ${percent(compared.confidence_level, 0)}, ${told}. A falling line gains on ${words(compared.baseline)}; shown are the models of the lowest QLIKE.`;
    if (!answer) {
      panels.losses.nothing(says, "There is one model alone.");
      return;
    }
    const best = compared.rows[0];
    panels.losses.show({
      says,
      figure: charts.lossDifferences(answer),
      label: `${best.model} has the lowest QLIKE, ${number(best.qlike_loss)}, which is ${number(best.qlike_ratio)} of that of ${compared.baseline}.`,
      columns: [["model", String], ["qlike_loss", (it) => number(it, 4)], ["qlike_ratio", (it) => number(it)], ["dm_pvalue", (it) => number(it)], ["in_confidence_set", (it) => (it ? "yes" : "no")], ["rmse_volatility", (it) => percent(it, 2)], ["r_squared_log", (it) => number(it)], ["coverage_80", (it) => percent(it)], ["cumulated", (it) => number(it, 2)]],
      rows: compared.rows.map((it) => [it.model, it.qlike_loss, it.qlike_ratio, it.diebold_mariano[compared.baseline]?.pvalue ?? null, it.in_confidence_set, it.rmse_volatility, it.r_squared_log, it.coverage["0.8"], answer.models.find((row) => row.model === it.model)?.cumulated.at(-1) ?? null]),
    });
  }, wanted);
}

async function showLive(horizon = 1) {
  const wanted = () => panels.live.chosen === horizon;
  await within([panels.live], async () => {
    const answer = await ask(`/performance/${path}?horizon=${horizon}`);
    if (!wanted()) return;
    const rows = answer.models.map((it) => {
      const interval = it.intervals.find((found) => found.level === 0.8);
      return { ...it, name: `${it.model} ${it.version}`, coverage: interval?.coverage ?? null, promised: interval?.promised ?? null };
    });
    const scored = rows.filter((it) => it.coverage !== null);
    const alarms = rows.flatMap((it) => Object.entries(it.alarms).filter(([, alarm]) => alarm.active).map(([watched]) => `${it.name}: ${watched}`));
    const pending = rows.reduce((sum, it) => sum + it.pending, 0);
    const watched = alarms.length ? [el("span", { class: "alarm" }, `▲ Alarm, ${alarms.join("; ")}. `)] : [scored.length ? "No alarm. " : ""];
    if (!scored.length) {
      panels.live.nothing("Forecasts that were issued before their session had closed, and what happened.", pending ? `${whole(pending)} live ${pending === 1 ? "forecast waits" : "forecasts wait"} for the outcome.` : "No live forecast has been recorded yet: ask every day.");
      return;
    }
    const nobs = Math.max(...scored.map((it) => it.nobs));
    panels.live.show({
      says: [...watched, `Forecasts issued before their session had closed: up to ${whole(nobs)} outcomes, ${day(scored[0].start)} to ${day(scored[0].end)}.`, ...answer.warnings.map((it) => ` Note: ${it}.`)],
      figure: charts.coverage(scored),
      label: `Live coverage of 80 % intervals: ${scored.map((it) => `${it.name} ${percent(it.coverage)}, promised ${percent(it.promised)}`).join("; ")}.`,
      columns: [["model", String], ["nobs", whole], ["pending", whole], ["coverage_80", (it) => percent(it)], ["promised_80", (it) => percent(it)], ["qlike_loss", (it) => number(it, 4)], ["promised_qlike", (it) => number(it, 4)], ["bias", (it) => signedPercent(it)], ["against_har", (it) => number(it)], ["alarms", (it) => it || NONE]],
      rows: rows.map((it) => [it.name, it.nobs, it.pending, it.coverage, it.promised, it.qlike_loss, it.promised_qlike, it.bias, it.against.har?.qlike_ratio ?? null, Object.entries(it.alarms).filter(([, alarm]) => alarm.active).map(([name]) => name).join(" ")]),
    });
  }, wanted);
}

panels.losses.choices(AHEAD, 1, showLosses);
panels.live.choices(AHEAD, 1, showLive);
const all = [
  describe().catch((problem) => {
    summary.textContent = "";
    document.getElementById("problems").append(problemBox(problem));
  }),
  showForecast(),
  ifAny(panels.cone, async () => showCone(panels.cone, await ask(`/assets/${path}/cone`))),
  ifAny(panels.impact, async () => showImpact(panels.impact, await ask(`/news-impact/${path}`))),
  ifAny(panels.rough, async () => showRough(panels.rough, await ask(`/hurst/${path}`))),
  showLive(),
  showLosses(),
];
const [isHeld] = await Promise.all(all);
// Eight panels that say the same of an asset that does not exist tell nobody anything.
if (isHeld === false && Object.values(panels).every((it) => !it.figure)) place.replaceChildren();
document.body.dataset.ready = "true";
