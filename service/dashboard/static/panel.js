// A card with a chart, the table of its numbers, and both to take away.

import { problemBox } from "./api.js";
import { csv, el, save } from "./format.js";

const NEAR = "300px"; // how far below the screen a chart is drawn already
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false, showTips: false };

const library = new Promise((resolve, reject) => {
  const script = document.querySelector('script[src$="/plotly.min.js"]');
  if (window.Plotly) resolve(window.Plotly);
  script.addEventListener("load", () => resolve(window.Plotly));
  script.addEventListener("error", () => reject(new Error("The charts' library did not load; the numbers are below each chart.")));
});
library.catch(() => {}); // which each chart says

export function colors() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    surface: of("surface"), line: of("line"), text: of("text"), muted: of("muted"), accent: of("accent"),
    grey1: of("grey-1"), grey2: of("grey-2"), alarm: of("alarm"), font: getComputedStyle(document.body).fontFamily,
  };
}

function fromDataUrl(url) {
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (it) => it.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      entry.target.dispatchEvent(new Event("near"));
    }
  },
  { rootMargin: NEAR },
);

let count = 0;

export class Panel {
  // One card; `options`: title, name of its files, and whether it takes the full width.
  constructor(place, { title, file, full = false }) {
    this.title = title;
    this.file = file;
    this.id = `panel-${(count += 1)}`;
    this.heading = el("h2", { id: this.id }, title);
    this.saidBelow = el("p", { class: "says" });
    this.chart = el("div", { class: "chart empty" }, "Asking the service …");
    this.choose = el("div", { class: "choose", role: "group", "aria-label": `Choose what is shown: ${title}` });
    this.choose.hidden = true;
    this.png = el("button", { type: "button", class: "quiet", disabled: true, "aria-label": `PNG of: ${title}`, onclick: () => this.savePng() }, "PNG");
    this.csv = el("button", { type: "button", class: "quiet", disabled: true, "aria-label": `CSV of: ${title}`, onclick: () => this.saveCsv() }, "CSV");
    this.details = el("details", {}, el("summary", {}, "Numbers"));
    this.details.hidden = true;
    this.details.addEventListener("toggle", () => this.fillTable());
    this.card = el(
      "section",
      { class: full ? "panel full" : "panel", "aria-labelledby": this.id },
      el("header", {}, this.heading, el("div", { class: "take" }, this.csv, this.png)),
      this.saidBelow, this.choose, this.chart, this.details,
    );
    this.chart.addEventListener("near", () => this.draw());
    document.addEventListener("themechange", () => this.isDrawn && this.draw());
    place.append(this.card);
  }

  // Buttons that choose between values; `chosen` is told which.
  choices(values, current, chosen) {
    const buttons = values.map(([value, label]) =>
      el("button", { type: "button", "aria-pressed": String(value === current), onclick: (event) => {
        for (const it of buttons) it.setAttribute("aria-pressed", String(it === event.currentTarget));
        this.chosen = value;
        chosen(value);
      } }, label),
    );
    this.chosen = current;
    this.choose.replaceChildren(...buttons);
    this.choose.hidden = false;
  }

  // `figure`: makes data and layout of colours; `label`: the chart in a sentence;
  // `columns`: [name, how a value is written]; `rows`: values, the first of each its name.
  show({ says, figure, label, columns, rows }) {
    Object.assign(this, { figure, label, columns, rows });
    this.saidBelow.replaceChildren(...(Array.isArray(says) ? says : [says]));
    this.details.hidden = false;
    this.csv.disabled = false;
    this.fillTable();
    if (this.isDrawn) this.draw();
    else seen.observe(this.chart);
  }

  problem(problem) {
    this.clear("none", problemBox(problem));
  }

  // The numbers stay: they do without the library.
  withoutChart(error) {
    this.chart.className = "chart none";
    this.chart.replaceChildren(problemBox(error));
  }

  nothing(says, why) {
    this.saidBelow.replaceChildren(says);
    this.clear("empty", why);
  }

  // In place of a chart; one that was drawn goes with its numbers, which are of another choice.
  clear(kind, content) {
    seen.unobserve(this.chart);
    if (this.isDrawn) window.Plotly.purge(this.chart);
    this.isDrawn = false;
    this.figure = this.columns = null;
    for (const name of ["role", "aria-label", "data-drawn"]) this.chart.removeAttribute(name);
    this.chart.className = `chart ${kind}`;
    this.chart.replaceChildren(content);
    this.png.disabled = this.csv.disabled = true;
    this.details.hidden = true;
    this.details.querySelector(".scroll")?.remove();
  }

  async draw() {
    let plotly;
    try {
      plotly = await library;
    } catch (error) {
      if (this.figure) this.withoutChart(error);
      return;
    }
    if (!this.figure) return; // taken away while the library was loading
    if (!this.isDrawn) {
      this.chart.className = "chart";
      this.chart.replaceChildren();
      this.chart.setAttribute("role", "img");
      this.png.disabled = false;
    }
    this.chart.setAttribute("aria-label", this.label);
    this.isDrawn = true;
    const { data, layout } = this.figure(colors(), this.chart.clientWidth);
    await plotly.react(this.chart, data, layout, CONFIG);
    this.chart.dataset.drawn = "true";
  }

  fillTable() {
    if (!this.details.open || !this.columns) return;
    const head = el("tr", {}, ...this.columns.map(([name], at) => el("th", { scope: "col", class: at ? "number" : "" }, name)));
    const rows = this.rows.map((row) =>
      el("tr", {}, ...row.map((value, at) => {
        const text = this.columns[at][1](value);
        return at ? el("td", { class: "number" }, text) : el("th", { scope: "row" }, text);
      })),
    );
    const table = el("table", { class: "numbers" }, el("thead", {}, head), el("tbody", {}, ...rows));
    this.details.querySelector(".scroll")?.remove();
    this.details.append(el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Numbers: ${this.title}` }, table));
  }

  saveCsv() {
    save(csv(this.columns.map(([name]) => name), this.rows), `${this.file}.csv`);
  }

  async savePng() {
    const plotly = await library;
    const of = colors();
    const { data, layout } = this.figure(of, 1000);
    const title = { text: this.heading.textContent, font: { size: 17, color: of.text }, x: 0.02, xanchor: "left", y: 0.96 };
    const margin = { ...layout.margin, t: 64 };
    const whole = { ...layout, title, margin, paper_bgcolor: of.surface, plot_bgcolor: of.surface, width: 1000, height: 560 };
    const url = await plotly.toImage({ data, layout: whole }, { format: "png", width: 1000, height: 560, scale: 2 });
    save(fromDataUrl(url), `${this.file}.png`);
  }
}
