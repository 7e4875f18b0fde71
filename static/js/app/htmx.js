// htmx: token, busy state, errors that nobody else shows.
let underWay = 0;

function busy(step, target) {
  underWay = Math.max(0, underWay + step);
  document.body.classList.toggle("is-busy", underWay > 0);
  if (target) target.setAttribute("aria-busy", String(step > 0));
}

function showTrouble() {
  const message = find("#trouble")?.content.cloneNode(true);
  if (message) find("#messages").append(message);
}

document.addEventListener("htmx:configRequest", (event) => {
  const token = find("meta[name='csrf-token']");
  if (token) event.detail.headers["X-CSRFToken"] = token.content;
});
document.addEventListener("htmx:beforeSend", (event) => busy(1, event.detail.target));
document.addEventListener("htmx:afterRequest", (event) => busy(-1, event.detail.target));
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  const ours = xhr.responseText.includes("data-message");
  if (xhr.status >= 400 && event.detail.isError && !ours) {
    event.detail.shouldSwap = false;
    showTrouble();
  }
});
document.addEventListener("htmx:sendError", showTrouble);
document.addEventListener("htmx:afterSettle", (event) => prepare(event.target));
