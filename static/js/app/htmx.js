// htmx: token, busy state, what was typed beside the part that changes, where the focus goes, errors with Retry.
let underWay = 0;
let failed; // the element whose request got no good answer
let before; // of the swap under way: forms with unsaved text, the element in focus, what there was

function busy(step, target) {
  underWay = Math.max(0, underWay + step);
  document.body.classList.toggle("is-busy", underWay > 0);
  if (target) target.setAttribute("aria-busy", String(step > 0));
}

function showTrouble() {
  const message = find("#trouble")?.content.cloneNode(true);
  if (message) find("#messages").append(message);
}

// The state as it is now, of the part that shows it: [data-part="address"].
function refresh(part) {
  const fresh = { target: part, swap: "outerHTML", select: `#${part.id}` };
  return htmx.ajax("GET", part.dataset.part || location.href, fresh);
}

// Somebody may have signed in again elsewhere: the forms of this page get a token of that visit.
async function renewToken(address) {
  const answer = await fetch(address, { headers: { "HX-Request": "true" } }).catch(() => null);
  const token = answer?.ok && answer.headers.get("X-CSRFToken");
  if (!token) return;
  find("meta[name='csrf-token']").content = token;
  for (const input of all("input[name='csrf_token']")) input.value = token;
}

async function retry(button) {
  if (button.dataset.retry) await renewToken(button.dataset.retry);
  button.closest(".message").remove();
  if (failed?.matches("form")) failed.requestSubmit(failed.sender?.isConnected ? failed.sender : null);
  else if (failed?.matches("a, button")) failed.click();
  else if (failed) htmx.trigger(failed, "change");
}

// Things that a request may have made: notes, links, a key in clear.
const fresh = "article[id], .secret code[id]";

function peers(element, within) {
  return all(element.tagName, within).filter((other) => other.name === element.name && other.textContent === element.textContent);
}

// What stays although its part is replaced: other forms with text, and the place where a person is.
function remember(target, sender) {
  const active = target.contains(document.activeElement) ? document.activeElement : null;
  const forms = all("form[data-guard][id]", target).filter((form) => isUnsaved(form) && !form.contains(sender));
  const known = new Set(all(fresh, target).map((element) => element.id));
  // After Next the list itself is what a person goes on with, not the link below it.
  const place = active && !active.closest(".pager") ? peers(active, target).indexOf(active) : -1;
  return { active, forms, known, place };
}

function putBack({ active, forms }) {
  for (const form of forms) document.getElementById(form.id)?.replaceWith(form);
  if (forms.some((form) => form.contains(active))) active.focus({ preventScroll: true });
}

// What is new in a part; else the button like the one that was pressed, at its place; else the heading.
function placeOfFocus(part, { active, known, place }) {
  if (part.hidden) return find("a", part.previousElementSibling);
  const same = place < 0 ? [] : peers(active, part);
  const news = all(fresh, part).find((element) => !known.has(element.id));
  return news || same[Math.min(place, same.length - 1)] || find("h2, h3", part) || part;
}

function bringFocus(part) {
  const lost = !document.activeElement || document.activeElement === document.body;
  if (!lost || !before || !part.isConnected) return;
  const place = placeOfFocus(part, before);
  if (!place.matches("a, button, input, select, textarea")) place.tabIndex = -1;
  place.focus();
}

const on = (name, listener) => document.addEventListener(`htmx:${name}`, listener);

on("configRequest", ({ detail }) => {
  const token = find("meta[name='csrf-token']");
  if (token) detail.headers["X-CSRFToken"] = token.content;
  // Addresses of filtered lists name what narrows them, nothing else.
  if (detail.verb === "get") for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
});
on("beforeRequest", ({ detail }) => {
  const form = detail.requestConfig.verb !== "get" && detail.elt.closest("form");
  if (form) form.dataset.sent = "yes";
  for (const old of all("#messages .message")) if (form || find("[data-retry]", old)) old.remove();
});
on("beforeSend", ({ detail }) => busy(1, detail.target));
on("afterRequest", ({ detail }) => {
  busy(-1, detail.target);
  const form = detail.elt.closest("form");
  if (form) delete form.dataset.sent;
  if (!detail.successful) {
    failed = detail.elt;
    failed.sender = detail.requestConfig.triggeringEvent?.submitter;
  }
  const part = detail.xhr.status === 409 && detail.elt.closest("[data-part]");
  if (part) refresh(part);
});
on("beforeSwap", ({ detail }) => {
  const { xhr } = detail;
  if (xhr.status >= 400 && detail.isError && !xhr.responseText.includes("data-message")) {
    detail.shouldSwap = false;
    showTrouble();
  }
  if (detail.target.id !== "messages") before = remember(detail.target, detail.elt);
});
on("afterSwap", () => before && putBack(before));
on("sendError", showTrouble);
// Back and forward load the page anew: the browser then shows the place where the person was.
on("historyCacheMiss", (event) => {
  event.preventDefault();
  location.reload();
});
on("afterSettle", ({ target, detail }) => {
  prepare(target);
  all("[data-toast]").forEach(leaveLater);
  if (target.id !== detail.target.id) return; // came along: a toast, the title
  bringFocus(target);
  const wrong = detail.xhr?.status === 422 && !find("[data-error-summary]", target) && find(".error", target);
  const said = wrong ? wrong.textContent : target.dataset.found;
  if (said) announce(said);
});
