// How numbers, dates and elements are written.

const percents = new Map();

function percentFormat(digits) {
  if (!percents.has(digits)) {
    const options = { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits };
    percents.set(digits, new Intl.NumberFormat("en-GB", options));
  }
  return percents.get(digits);
}

export const NONE = "–";

export function percent(value, digits = 1) {
  return value === null || value === undefined ? NONE : percentFormat(digits).format(value);
}

export function signedPercent(value, digits = 1) {
  if (value === null || value === undefined) return NONE;
  const text = percentFormat(digits).format(Math.abs(value));
  return `${value < 0 ? "−" : "+"}${text}`;
}

export function number(value, digits = 3) {
  if (value === null || value === undefined) return NONE;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}

export function significant(value, digits = 4) {
  return value === null || value === undefined ? NONE : Number(value.toPrecision(digits)).toString().replace("-", "−");
}

export function whole(value) {
  return value === null || value === undefined ? NONE : value.toLocaleString("en-GB");
}

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

export function day(text) {
  return text ? days.format(new Date(`${text}T00:00:00Z`)) : NONE;
}

export function sessions(count) {
  return count === 1 ? "1 session" : `${whole(count)} sessions`;
}

export function words(name) {
  return name.replaceAll("_", " ");
}

export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// An element with attributes and children; text is never read as HTML.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((it) => it !== null && it !== undefined));
  return made;
}

export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function csv(header, rows) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [header, ...rows].map((row) => row.map(cell).join(","));
  return new Blob([`${lines.join("\n")}\n`], { type: "text/csv" });
}
