// Every asset: a listing, its newest sessions and live results, then forecasts in batches.

import { ask, post, problemBox } from "./api.js";
import { NONE, csv, el, percent, save, signedPercent, whole } from "./format.js";

const SHOWN = 100; // rows before all are asked for
const FIRST_BATCH = 40; // what a screen shows
const BATCH = 100;
const SESSIONS = 44;
const LEVEL = 0.8;

const body = document.querySelector("#assets tbody");
const summary = document.getElementById("summary");
const problems = document.getElementById("problems");
const filter = document.getElementById("filter");
const show = document.getElementById("show");
const more = document.getElementById("more");
const download = document.getElementById("csv");

let assets = [];
let sorted = { by: "asset", down: false };
let all = false;

const order = {
  asset: (it) => it.asset,
  forecast: (it) => it.forecast?.volatility_annualized ?? null,
  lower: (it) => it.interval?.[0] ?? null,
  change: (it) => it.change,
  stale: (it) => it.stale_sessions,
  coverage: (it) => it.live?.coverage ?? null,
  alarm: (it) => it.live?.alarms.length || null,
};

function spark(values) {
  const NS = "http://www.w3.org/2000/svg";
  const [width, height] = [132, 30];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (at) => (values.length > 1 ? (at / (values.length - 1)) * (width - 6) + 2 : width - 4);
  const y = (value) => height - 3 - (most > least ? ((value - least) / (most - least)) * (height - 6) : (height - 6) / 2);
  const points = values.map((value, at) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", "spark");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `from ${percent(values[0])} to ${percent(values.at(-1))}, between ${percent(least)} and ${percent(most)}`);
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", `M${points.join("L")}`);
  const end = document.createElementNS(NS, "circle");
  end.setAttribute("cx", x(values.length - 1));
  end.setAttribute("cy", y(values.at(-1)));
  end.setAttribute("r", 2);
  svg.append(path, end);
  return svg;
}

function cell(className = "number") {
  return el("td", { class: className });
}

function makeRow(it) {
  const cells = {
    forecast: cell("number forecast"),
    interval: cell("number wide soft"),
    change: cell(),
    recent: cell("wide"),
    stale: cell(),
    coverage: cell("number wide"),
    alarm: cell(""),
  };
  const link = el("a", { href: `/view/${encodeURIComponent(it.asset)}` }, it.asset);
  const name = el("th", { scope: "row" }, link, el("small", {}, `${it.kind} · ${it.calendar}`));
  const row = el("tr", {}, name, ...Object.values(cells));
  it.row = row;
  it.cells = cells;
  if (it.recent.length) cells.recent.append(spark(it.recent));
  const { stale_sessions: stale } = it;
  cells.stale.textContent = stale === null ? NONE : whole(stale);
  if (stale === 0) cells.stale.classList.add("soft");
  fill(it);
}

function fill(it) {
  if (!it.row) return;
  const { cells, forecast, problem } = it;
  if (problem) {
    cells.forecast.textContent = NONE;
    cells.forecast.title = problem.detail;
    cells.interval.textContent = problem.code.replaceAll("_", " ");
  } else if (forecast) {
    cells.forecast.textContent = percent(forecast.volatility_annualized);
    cells.interval.textContent = it.interval ? `${percent(it.interval[0])} to ${percent(it.interval[1])}` : NONE;
    cells.change.textContent = signedPercent(it.change, 0);
  }
  const { live } = it;
  cells.coverage.replaceChildren(live?.coverage != null ? percent(live.coverage, 0) : NONE);
  if (live?.coverage != null) cells.coverage.append(el("small", {}, `of ${whole(live.nobs)}`));
  else cells.coverage.classList.add("soft");
  const alarms = live?.alarms ?? [];
  cells.alarm.className = alarms.length ? "alarm" : "soft";
  cells.alarm.textContent = alarms.length ? `▲ ${alarms.join(", ")}` : NONE;
}

function matching() {
  const wanted = filter.value.trim().toLowerCase();
  return assets.filter((it) => {
    if (show.value === "stale" && !it.stale_sessions) return false;
    if (show.value === "alarm" && !it.live?.alarms.length) return false;
    return !wanted || `${it.asset} ${it.kind} ${it.calendar}`.toLowerCase().includes(wanted);
  });
}

function ranked() {
  const of = order[sorted.by];
  const sign = sorted.down ? -1 : 1;
  return matching().sort((a, b) => {
    const [x, y] = [of(a), of(b)];
    if (x === null || y === null) return (x === null) - (y === null) || (a.asset < b.asset ? -1 : 1);
    return sign * (x < y ? -1 : x > y ? 1 : 0) || (a.asset < b.asset ? -1 : 1);
  });
}

function draw() {
  const rows = ranked();
  const drawn = all ? rows : rows.slice(0, SHOWN);
  for (const it of drawn) if (!it.row) makeRow(it);
  body.replaceChildren(...drawn.map((it) => it.row));
  if (!rows.length && assets.length) body.append(el("tr", {}, el("td", { colspan: 8, class: "soft" }, "No asset matches.")));
  more.hidden = drawn.length === rows.length;
  more.textContent = `Show all ${whole(rows.length)}`;
}

function summarize(asked) {
  const stale = assets.filter((it) => it.stale_sessions).length;
  const alarms = assets.filter((it) => it.live?.alarms.length).length;
  const parts = [`${whole(assets.length)} assets`];
  parts.push(stale ? `${whole(stale)} stale` : "none stale");
  parts.push(alarms ? `${whole(alarms)} with an alarm` : "no alarms");
  if (asked < assets.length) parts.push(`${whole(asked)} forecast so far`);
  summary.textContent = `${parts.join(", ")}.`;
}

function take(it, answer) {
  if (answer.code) {
    it.problem = answer;
  } else {
    it.forecast = answer;
    it.interval = answer.intervals.find((interval) => interval.level === LEVEL)?.volatility_annualized ?? null;
    const last = it.recent.at(-1);
    it.change = last ? answer.volatility_annualized / last - 1 : null;
    it.live = it.lives.find((row) => row.model === answer.model && row.version === answer.model_version) ?? null;
  }
  fill(it);
}

async function forecast() {
  const waiting = ranked();
  for (let at = 0; at < waiting.length; ) {
    const some = waiting.slice(at, at + (at ? BATCH : FIRST_BATCH));
    const items = some.map((it) => ({ asset: it.asset, levels: [LEVEL] }));
    const answer = await post("/forecast/batch", { items });
    some.forEach((it, place) => take(it, answer.items[place]));
    if (!at) performance.mark("forecasts");
    at += some.length;
    summarize(at);
    if (sorted.by !== "asset" && sorted.by !== "stale") draw();
  }
}

async function load() {
  const [listed, recent, live] = await Promise.all([
    ask("/assets"),
    ask(`/history?sessions=${SESSIONS}`),
    ask("/performance"),
  ]);
  const newest = new Map(recent.assets.map((it) => [it.asset, it.volatility_annualized]));
  const lives = new Map(live.assets.map((it) => [it.asset, it.models]));
  assets = listed.assets.map((it) => ({
    ...it,
    recent: newest.get(it.asset) ?? [],
    lives: lives.get(it.asset) ?? [],
    change: null,
  }));
  for (const warning of recent.warnings) problems.append(el("p", { class: "warning" }, warning));
  draw();
  summarize(0);
  performance.mark("rows"); // which `benchmarks.pages` measures
  await forecast();
  draw();
  performance.mark("all");
  download.disabled = false;
}

function saveTable() {
  const header = ["asset", "kind", "calendar", "model", "as_of", "target_date", "volatility_annualized", "volatility_annualized_lower_80",
    "volatility_annualized_upper_80",
    "last_volatility_annualized", "stale_sessions", "live_coverage_80", "live_nobs", "alarms"];
  const rows = ranked().map((it) => [it.asset, it.kind, it.calendar, it.forecast?.model, it.forecast?.as_of, it.forecast?.target_date,
    it.forecast?.volatility_annualized, it.interval?.[0], it.interval?.[1], it.recent.at(-1), it.stale_sessions,
    it.live?.coverage, it.live?.nobs, it.live?.alarms.join(" ")]);
  save(csv(header, rows), "volatility.csv");
}

for (const button of document.querySelectorAll("#assets thead button")) {
  button.addEventListener("click", () => {
    const by = button.dataset.sort;
    const down = sorted.by === by ? !sorted.down : by !== "asset";
    sorted = { by, down };
    for (const head of document.querySelectorAll("#assets th[aria-sort]")) head.removeAttribute("aria-sort");
    button.closest("th").setAttribute("aria-sort", down ? "descending" : "ascending");
    draw();
  });
}
filter.addEventListener("input", draw);
show.addEventListener("change", draw);
more.addEventListener("click", () => {
  all = true;
  draw();
});
download.addEventListener("click", saveTable);

try {
  await load();
} catch (problem) {
  summary.textContent = "";
  problems.append(problemBox(problem, "The assets cannot be shown:"));
}
document.body.dataset.ready = "true";
