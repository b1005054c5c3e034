// A series of one's own: read and measured by the service, then asked about as any other.

import { ask, post, problemBox, send } from "./api.js";
import { csv, day, sessions, whole, words } from "./format.js";
import { Panel } from "./panel.js";
import { HORIZONS, LEVELS, figures, headline, showCone, showFan, showImpact, showMoved, showRough, showTerm, stepsOf, warnings } from "./sections.js";

const EXAMPLE = "BTC-USD";
const LEAST_ROUGH = 125; // sessions, as `POST /hurst` needs them
const OPTIONS = ["calendar", "kind", "dayfirst", "decimal", "prices", "ticker"];
// Files that are no text; what a file is, the service tells by its content.
const BINARY = {
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  parquet: "application/vnd.apache.parquet",
  gz: "text/csv",
};
const field = (id) => document.getElementById(id);
const bars = field("bars");
const place = field("panels");
const drop = field("drop");

const MOST_TEXT = 2_000_000; // bytes; a larger file is sent as it is, as its text would stop the page

let name = "your series";
let file = null; // that is not shown as text
let turns = 0; // series that were asked about

function makePanels(name) {
  place.replaceChildren();
  const panel = (title, file, full = false) => new Panel(place, { title, file: `series-${file}`, full });
  return {
    fan: panel(`Realized volatility of ${name}, and its forecast`, "forecast", true),
    term: panel("Term structure of the forecast", "term-structure"),
    cone: panel("Volatility cone", "cone"),
    impact: panel("News impact: the next forecast by the last return", "news-impact"),
    moved: panel("What moved the forecast of the next session", "contributions"),
    rough: panel("Is volatility rough? Scaling of its log", "roughness", true),
  };
}

async function within(those, work) {
  try {
    await work();
  } catch (problem) {
    for (const it of those) it.problem(problem);
  }
}

// `newest`: whether no other series was asked about since; what comes of an older one is dropped.
async function answer(name, newest) {
  const query = new URLSearchParams();
  for (const option of OPTIONS) {
    const given = field(option).value.trim();
    if (given) query.set(option, given);
  }
  if (field("outside").checked) query.set("outside_sessions", "drop");
  const isJson = /^\s*[[{]/.test(bars.value);
  const measured = file
    ? await send(`/history?${query}`, file, typeOf(file))
    : await send(`/history?${query}`, bars.value, isJson ? "application/json" : "text/csv");
  if (!newest()) return;
  const { calendar, kind } = measured;
  const about = { model: "universal", calendar, kind, history: { bars: measured.bars } };
  const dropped = measured.dropped ? `, ${measured.dropped} bars outside of sessions left out` : "";
  field("summary").textContent = `${sessions(measured.nobs)} from ${day(measured.dates[0])} to ${day(measured.dates.at(-1))}, read as ${kind} on the calendar ${calendar}, measured by ${words(measured.measure)}${dropped}.`;
  const panels = makePanels(name);
  await Promise.all([
    within([panels.fan, panels.term, panels.moved], async () => {
      const found = await post("/forecast", { ...about, horizons: HORIZONS, levels: LEVELS, explain: true });
      if (!newest()) return;
      figures(field("figures"), headline(found, measured.volatility_annualized.at(-1)));
      warnings(field("warnings"), [...measured.warnings, ...stepsOf(found).flatMap((it) => it.warnings ?? []), ...(found.warnings ?? [])]);
      showFan(panels.fan, measured, found, name);
      showTerm(panels.term, found);
      showMoved(panels.moved, found);
    }),
    within([panels.cone], async () => {
      if (measured.cone) showCone(panels.cone, measured.cone);
      else panels.cone.nothing("", "A cone needs two sessions.");
    }),
    within([panels.impact], async () => showImpact(panels.impact, await post("/news-impact", about))),
    within([panels.rough], async () => {
      const { rv, dates, measure } = measured;
      if (rv.length < LEAST_ROUGH) panels.rough.nothing("", `The estimators need ${sessions(LEAST_ROUGH)}; here are ${rv.length}.`);
      else showRough(panels.rough, await post("/hurst", { rv, dates, calendar, measure }));
    }),
  ]);
}

async function submit(event) {
  event?.preventDefault();
  const turn = (turns += 1);
  const newest = () => turn === turns;
  for (const id of ["figures", "warnings", "problems", "panels"]) field(id).replaceChildren();
  delete document.body.dataset.ready;
  field("go").disabled = true;
  field("summary").textContent = "Reading and forecasting …";
  try {
    await answer(name, newest);
  } catch (problem) {
    if (!newest()) return;
    field("summary").textContent = "";
    field("problems").append(problemBox(problem, "These bars cannot be used:"));
  }
  if (!newest()) return;
  field("go").disabled = false;
  document.body.dataset.ready = "true";
}

const extension = (given) => given.name.split(".").pop().toLowerCase();
const typeOf = (given) => BINARY[extension(given)] ?? (extension(given) === "json" ? "application/json" : "text/csv");

async function read(given) {
  if (!given) return;
  name = given.name.replace(/(\.[a-z]+)+$/i, "");
  file = BINARY[extension(given)] || given.size > MOST_TEXT ? given : null;
  bars.value = file ? "" : await given.text();
  bars.placeholder = file ? `${given.name}, ${whole(given.size)} bytes` : bars.placeholder;
  await submit();
}

field("form").addEventListener("submit", submit);
field("file").addEventListener("change", (event) => read(event.target.files[0]));
bars.addEventListener("input", () => {
  name = "your series";
  file = null;
});
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  read(event.dataTransfer.files[0]);
});
field("example").addEventListener("click", async () => {
  try {
    const { assets } = await ask("/assets");
    const daily = assets.filter((it) => it.bar_interval === 86400 && it.bars).sort((a, b) => b.bars - a.bars);
    const chosen = daily.find((it) => it.asset === EXAMPLE) ?? daily[0];
    if (!chosen) throw new Error("This service holds no daily bars to show.");
    const found = await ask(`/assets/${encodeURIComponent(chosen.asset)}/bars?limit=600`);
    const header = ["date", "open", "high", "low", "close"];
    bars.value = await csv(header, found.bars.map((it) => header.map((column) => it[column]))).text();
    field("calendar").value = chosen.calendar === "24/7" ? "24/7" : "";
    name = `${chosen.asset}, as an example`;
    file = null;
    await submit();
  } catch (problem) {
    field("problems").replaceChildren(problemBox(problem));
  }
});
document.body.dataset.ready = "true";
