// What every part uses. The parts of this folder are joined into app.js in the order of csp_web/web/assets.py, inside one
// strict function: names are shared among them and seen by nobody else. Enhancements only: every page works without.
const root = document.documentElement;
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) =>
  [...(within.matches?.(selector) ? [within] : []), ...within.querySelectorAll(selector)];
const text = (name) => document.body.dataset[name] || "";

// ---- Announcements for screen readers
function announce(sentence) {
  const region = find("#announcer");
  if (!region) return;
  region.textContent = "";
  setTimeout(() => { region.textContent = sentence; }, 50);
}

// ---- htmx comes when the page is painted: until then its bytes would only keep the style sheet waiting. It starts itself
// when a document has been read; that was before it came, so it is told so again. The load event of the page waits for it.
const htmxAddress = find("meta[name='htmx']")?.content;
if (htmxAddress) {
  const script = document.createElement("script");
  script.src = htmxAddress;
  script.addEventListener("load", () => document.dispatchEvent(new Event("DOMContentLoaded")));
  document.head.append(script);
}
