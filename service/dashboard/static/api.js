// Asks the service, with a key where it needs one; the key stays in this tab's session.

import { el } from "./format.js";

const KEY = "roughcast-key";

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? `the service answered with ${status}`);
    this.status = status;
    this.code = body.code ?? "unreadable";
    this.errors = body.errors ?? [];
  }
}

let asking = null; // the question for a key that is shown, if one is

function stored() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(key) {
  try {
    if (key === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, key);
  } catch {
    // where storage is turned off, the key lasts as long as the page
  }
  kept = key;
}

let kept = stored();

export async function ask(path, options = {}) {
  const headers = { accept: "application/json", ...options.headers };
  if (kept) headers.authorization = `Bearer ${kept}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Problem(0, { code: "unreachable", detail: "The service does not answer. Is it running, and this machine connected?" });
  }
  if (answer.ok) {
    showForget();
    return answer.json();
  }
  let body = {};
  try {
    body = await answer.json();
  } catch {
    // an answer of something between here and the service
  }
  const problem = new Problem(answer.status, body);
  if (answer.status !== 401) throw problem;
  const used = headers.authorization;
  if (!kept || used === `Bearer ${kept}`) await askForKey(problem.message);
  return ask(path, options);
}

export function post(path, body) {
  return ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

export function send(path, body, type) {
  return ask(path, { method: "POST", headers: { "content-type": type }, body });
}

function askForKey(reason) {
  asking ??= new Promise((resolve) => {
    const place = document.getElementById("key");
    const input = el("input", { type: "password", id: "api-key", autocomplete: "off", required: true, spellcheck: "false" });
    const form = el(
      "form",
      { class: "card key" },
      el("h2", {}, "This service needs a key"),
      el("p", {}, kept ? `The key that was given does not do: ${reason}.` : "An API key with the scope forecast. It is kept in this tab until it is closed, and nowhere else."),
      el("label", { class: "field", for: "api-key" }, "API key"),
      input,
      el("button", { type: "submit", class: "main" }, "Use it"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = input.value.trim();
      if (!given) return;
      keep(given);
      place.replaceChildren();
      asking = null;
      resolve();
    });
    place.replaceChildren(form);
    input.focus();
  });
  return asking;
}

function showForget() {
  const button = document.getElementById("forget-key");
  if (!kept || !button || !button.hidden) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    keep(null);
    location.reload();
  });
}

export function problemBox(problem, what = null) {
  const faults = problem.errors?.length > 1 ? problem.errors : [];
  return el(
    "div",
    { class: "problem", role: "alert" },
    what ? el("strong", {}, `${what} `) : null,
    el("span", {}, problem.message),
    faults.length ? el("ul", {}, ...faults.map((it) => el("li", {}, it.detail))) : null,
  );
}
