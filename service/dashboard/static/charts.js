// From answers of the API to figures: each function returns what a panel draws with colours.

import { percent } from "./format.js";

function layout(of, more = {}) {
  const axis = {
    automargin: true, color: of.muted, linecolor: of.line, gridcolor: of.line, zeroline: false, tickcolor: of.line,
    fixedrange: true, title: { standoff: 10 },
  };
  const { xaxis, yaxis, ...rest } = more;
  return {
    font: { family: of.font, size: 12.5, color: of.muted },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 8, r: 14, t: 10, b: 8 }, autosize: true, dragmode: false, hovermode: "x",
    hoverlabel: { bgcolor: of.surface, bordercolor: of.line, font: { family: of.font, color: of.text } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: -0.2, yanchor: "top", font: { color: of.muted } },
    ...rest,
    xaxis: { ...axis, showgrid: false, ...xaxis },
    yaxis: { ...axis, rangemode: "tozero", ...yaxis },
  };
}

const percents = { tickformat: ".0%", hoverformat: ".1%" };
// Volatility is as likely to double as to halve: on a log scale both go as far.
const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20];
const logPercents = {
  type: "log", rangemode: "normal", tickvals: STEPS, ticktext: STEPS.map((it) => percent(it, it < 0.01 ? 1 : 0)), hoverformat: ".1%",
};
const NARROW = 560; // below it, in CSS pixels, a chart does without titles at its side

function wash(colour, alpha) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${alpha})`;
}

// A band between two lists of values, as two traces of which the second is filled to the first.
function band(x, lower, upper, colour, name, more = {}) {
  const line = { width: 0, color: colour };
  const both = { x, type: "scatter", mode: "lines", line, hoverinfo: "skip", showlegend: false, ...more };
  return [
    { ...both, y: lower },
    { ...both, y: upper, fill: "tonexty", fillcolor: colour, name, showlegend: true },
  ];
}

function bounds(steps, level) {
  const of = steps.map((it) => it.intervals.find((interval) => interval.level === level)?.volatility_annualized);
  return of.every(Boolean) ? of : null;
}

const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const shortMonth = new Intl.DateTimeFormat("en-GB", { month: "short", year: "2-digit", timeZone: "UTC" });

export function fan(dates, volatility, steps, count) {
  return (of, width) => {
    const past = volatility.slice(-count);
    const days = dates.slice(-count);
    const x = past.map((_, at) => at - past.length + 1);
    const ahead = steps.map((it) => it.horizon);
    const wide = bounds(steps, 0.95);
    const narrow = bounds(steps, 0.8);
    const ticks = width < NARROW ? 3 : 5;
    const spots = Array.from({ length: ticks }, (_, at) => Math.round(((ticks - at) / ticks) * -(past.length - 1)));
    const format = past.length > 130 ? shortMonth : shortDay;
    const data = [];
    if (wide) data.push(...band(ahead, wide.map((it) => it[0]), wide.map((it) => it[1]), wash(of.accent, 0.16), "95 % interval"));
    if (narrow) data.push(...band(ahead, narrow.map((it) => it[0]), narrow.map((it) => it[1]), wash(of.accent, 0.26), "80 % interval"));
    data.push(
      { x, y: past, type: "scatter", mode: "lines", name: "Realized", line: { color: of.grey1, width: 1.3 }, customdata: days, hovertemplate: "%{customdata}: %{y:.1%}<extra></extra>" },
      { x: ahead, y: steps.map((it) => it.volatility_annualized), type: "scatter", mode: "lines+markers", name: "Forecast",
        line: { color: of.accent, width: 2 }, marker: { size: 7, color: of.accent }, hovertemplate: "mean of the next %{x}: %{y:.1%}<extra></extra>" },
    );
    return {
      data,
      layout: layout(of, {
        hovermode: "closest",
        xaxis: {
          range: [x[0] - 1, Math.max(...ahead) + 1.5],
          tickvals: [...spots, 0, ...(width < NARROW ? [Math.max(...ahead)] : ahead.filter((it) => it > 1))],
          ticktext: [
            ...spots.map((it) => format.format(new Date(`${days.at(it - 1)}T00:00:00Z`))), "last",
            ...(width < NARROW ? [Math.max(...ahead)] : ahead.filter((it) => it > 1)).map((it) => `+${it}`),
          ],
          tickangle: 0,
        },
        yaxis: logPercents,
        shapes: [{ type: "line", x0: 0.5, x1: 0.5, yref: "paper", y0: 0, y1: 1, line: { color: of.line, width: 1, dash: "dot" } }],
      }),
    };
  };
}

export function termStructure(steps) {
  return (of) => {
    const x = steps.map((it) => String(it.horizon));
    const y = steps.map((it) => it.volatility_annualized);
    const bar = (level, width, alpha) => {
      const found = bounds(steps, level);
      if (!found) return [];
      return [{
        x, y, type: "scatter", mode: "markers", name: `${percent(level, 0)} interval`, hoverinfo: "skip", marker: { size: 0.1, color: wash(of.accent, alpha), opacity: 1 },
        error_y: { type: "data", symmetric: false, array: found.map((it, at) => it[1] - y[at]), arrayminus: found.map((it, at) => y[at] - it[0]), color: wash(of.accent, alpha), thickness: width, width: 0 },
      }];
    };
    return {
      data: [
        ...bar(0.95, 5, 0.25), ...bar(0.8, 13, 0.35),
        { x, y, type: "scatter", mode: "lines+markers", name: "Forecast", line: { color: of.accent, width: 1.5 }, marker: { color: of.accent, size: 8 }, hovertemplate: "%{y:.1%}<extra></extra>" },
      ],
      layout: layout(of, { showlegend: false, xaxis: { type: "category", title: { text: "sessions ahead", standoff: 10 } }, yaxis: logPercents }),
    };
  };
}

export function cone(answer) {
  return (of) => {
    const x = answer.rows.map((it) => String(it.window));
    const at = (probability) => answer.rows.map((it) => it.quantiles[answer.probabilities.indexOf(probability)]);
    return {
      data: [
        ...band(x, at(0.1), at(0.9), wash(of.grey2, 0.25), "10–90 %"),
        ...band(x, at(0.25), at(0.75), wash(of.grey2, 0.38), "25–75 %"),
        { x, y: at(0.5), type: "scatter", mode: "lines", name: "Median", line: { color: of.grey1, width: 1.5, dash: "dash" }, hovertemplate: "median %{y:.1%}<extra></extra>" },
        { x, y: answer.rows.map((it) => it.newest), type: "scatter", mode: "lines+markers", name: "Newest", line: { color: of.accent, width: 2 }, marker: { size: 7, color: of.accent }, hovertemplate: "newest %{y:.1%}<extra></extra>" },
      ],
      layout: layout(of, { xaxis: { type: "category", title: { text: "sessions in the window", standoff: 10 } }, yaxis: logPercents, legend: { orientation: "h", y: -0.32, x: 0, font: { color: of.muted } } }),
    };
  };
}

export function newsImpact(answer) {
  return (of) => {
    const x = answer.points.map((it) => it.log_return);
    const mark = (at, dash) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: of.grey2, width: 1, dash } });
    const shown = answer.log_return >= x[0] && answer.log_return <= x.at(-1);
    return {
      data: [{ x, y: answer.points.map((it) => it.volatility_annualized), type: "scatter", mode: "lines", name: "Forecast", line: { color: of.accent, width: 2 }, hovertemplate: "after %{x:+.1%}: %{y:.1%}<extra></extra>" }],
      layout: layout(of, {
        hovermode: "closest", showlegend: false, margin: { l: 8, r: 14, t: 24, b: 8 },
        xaxis: { tickformat: ".0%", title: { text: "log return of the last session", standoff: 10 } },
        yaxis: { ...percents, rangemode: "normal" },
        shapes: shown ? [mark(answer.log_return, "dot")] : [],
        annotations: shown ? [{ x: answer.log_return, y: 1, yref: "paper", text: `as it was: ${answer.log_return < 0 ? "−" : "+"}${percent(Math.abs(answer.log_return))}`, showarrow: false, xanchor: answer.log_return > 0 ? "right" : "left", xshift: answer.log_return > 0 ? -5 : 5, yanchor: "bottom", font: { color: of.muted, size: 12 } }] : [],
      }),
    };
  };
}

export function contributions(groups) {
  return (of) => {
    const shown = [...groups].reverse();
    return {
      data: [{
        type: "bar", orientation: "h", y: shown.map((it) => it.name), x: shown.map((it) => it.value), width: 0.62,
        marker: { color: shown.map((it) => (it.value < 0 ? of.grey2 : of.accent)) }, hovertemplate: "%{y}: %{x:+.3~f}<extra></extra>",
      }],
      layout: layout(of, {
        hovermode: "closest", showlegend: false,
        xaxis: { showgrid: true, zeroline: true, zerolinecolor: of.grey1, title: { text: "added to the forecast", standoff: 10 }, tickformat: "~g" },
        yaxis: { rangemode: "normal", showline: false, ticks: "" },
      }),
    };
  };
}

export function scaling(estimate) {
  return (of, width) => {
    const x = estimate.points.map((it) => it.scale);
    const marks = { type: "scatter", mode: "markers" };
    return {
      data: [
        { ...marks, x, y: estimate.points.map((it) => it.value), name: "As measured", marker: { size: 7, color: of.surface, line: { color: of.grey1, width: 1.4 } }, hovertemplate: "%{x:.3~g} sessions: %{y:.4~g}<extra></extra>" },
        { ...marks, x, y: estimate.points.map((it) => it.corrected), name: "Corrected", marker: { size: 7, color: of.accent }, hovertemplate: "%{x:.3~g} sessions: %{y:.4~g}<extra></extra>" },
        { x, y: estimate.points.map((it) => it.fitted), type: "scatter", mode: "lines", name: "Line", line: { color: of.accent, width: 1.5 }, hoverinfo: "skip" },
      ],
      layout: layout(of, {
        hovermode: "closest",
        xaxis: { type: "log", title: { text: "scale, sessions", standoff: 10 }, tickvals: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
        yaxis: { type: "log", rangemode: "normal", title: width < NARROW ? undefined : { text: "statistic", standoff: 6 }, nticks: 6, exponentformat: "power" },
        legend: { orientation: "h", y: -0.32, x: 0, font: { color: of.muted } },
      }),
    };
  };
}

const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "5px,2px", "2px,2px"];

export function lossDifferences(answer) {
  return (of, width) => {
    const lines = answer.models.map((it, at) => ({
      x: answer.dates, y: it.cumulated, type: "scatter", mode: "lines", name: it.model, hovertemplate: `${it.model}, %{x|%-d %b %Y}: %{y:.2f}<extra></extra>`,
      line: { color: at ? (it.in_confidence_set ? of.grey1 : of.grey2) : of.accent, width: at ? 1.2 : 2.2, dash: DASHES[at % DASHES.length] },
    }));
    return {
      data: lines.reverse(),
      layout: layout(of, {
        hovermode: "closest", xaxis: { type: "date", nticks: width < NARROW ? 4 : 8, tickformat: "%b %Y" },
        yaxis: { rangemode: "normal", zeroline: true, zerolinecolor: of.grey1, zerolinewidth: 1, title: width < NARROW ? undefined : { text: `QLIKE less that of ${answer.against}, summed`, standoff: 6 } },
        legend: { orientation: "h", y: -0.16, x: 0, traceorder: "reversed", font: { color: of.muted } },
      }),
    };
  };
}

export function coverage(rows) {
  return (of) => {
    const shown = [...rows].reverse();
    const y = shown.map((it) => it.name);
    return {
      data: [
        { x: shown.map((it) => it.promised), y, type: "scatter", mode: "markers", name: "On the test part", marker: { size: 11, symbol: "line-ns", line: { color: of.grey1, width: 2.5 } }, hovertemplate: "promised %{x:.1%}<extra></extra>" },
        { x: shown.map((it) => it.coverage), y, type: "scatter", mode: "markers", name: "Live", marker: { size: 10, color: of.accent }, hovertemplate: "live %{x:.1%}<extra></extra>" },
      ],
      layout: layout(of, {
        hovermode: "closest", xaxis: { ...percents, showgrid: true, title: { text: "coverage of 80 % intervals", standoff: 10 } },
        yaxis: { rangemode: "normal", type: "category" }, legend: { orientation: "h", y: -0.34, x: 0, font: { color: of.muted } },
      }),
    };
  };
}
