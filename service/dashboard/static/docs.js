// The API's description, as the service gives it out.

const place = document.querySelector("#swagger");

// What Swagger UI leaves to be said to those who hear the page or go through it by keys.
const MENDED = [
  ["label[id$=_select]", (it) => it.removeAttribute("id")], // which its select has, too
  ["table[role=region]", (it) => it.removeAttribute("role")], // each of which would need a name
  [".opblock-summary-control a[href]", (it) => it.removeAttribute("href")], // in a button that does the same
  ["h3:not([aria-level])", (it) => it.setAttribute("aria-level", 2)], // below the title, an h1
  ["h4:not([aria-level])", (it) => it.setAttribute("aria-level", 3)],
  ["h5:not([aria-level])", (it) => it.setAttribute("aria-level", 4)],
  ["pre.microlight:not([tabindex])", (it) => it.setAttribute("tabindex", 0)], // which scrolls
  ["tr[data-param-name] select:not([aria-label])", (it) => it.setAttribute("aria-label", it.closest("tr").dataset.paramName)],
];

function mend() {
  for (const [which, how] of MENDED) place.querySelectorAll(which).forEach(how);
}

new MutationObserver(mend).observe(place, { childList: true, subtree: true });

window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  onComplete: () => {
    document.body.dataset.ready = "true";
  },
});
