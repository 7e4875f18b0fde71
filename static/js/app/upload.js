// Files that take a while to send: progress in numbers, time left, Cancel. Forms that htmx does not send say data-upload.
const SLOW = 1e6; // bytes; less is sent the plain way

function chosenBytes(form) {
  const files = all("input[type=file]", form).flatMap((input) => [...input.files]);
  return files.reduce((sum, file) => sum + file.size, 0);
}

// A form sent by htmx in place of the browser; a whole page comes back.
function sendForm(form, values = {}, address = form.getAttribute("action")) {
  form.setAttribute("hx-push-url", "true");
  htmx.ajax("POST", address, {
    source: form, target: "#main", select: "#main", swap: "outerHTML show:window:top", headers: { "HX-Boosted": "true" }, values,
  }).catch(() => {}); // cancelled
}

function sendWithProgress(event) {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !("upload" in form.dataset) || chosenBytes(form) < SLOW) return;
  event.preventDefault();
  sendForm(form, submitter?.name ? { [submitter.name]: submitter.value } : {});
}

function showUpload({ detail: { elt: form } }) {
  const template = find("#uploading");
  if (!template || !form.matches("form") || chosenBytes(form) < SLOW) return;
  const part = template.content.cloneNode(true).firstElementChild;
  form.append(part);
  form.dataset.began = Date.now();
  find(".form-actions", form).hidden = true;
  find("button", part).addEventListener("click", () => htmx.trigger(form, "htmx:abort"));
  find("button", part).focus();
}

function endUpload({ detail: { elt: form } }) {
  find(":scope > [data-uploading]", form)?.remove();
  const actions = find(".form-actions[hidden]", form);
  if (actions) actions.hidden = false;
}

function megabytes(bytes) {
  return new Intl.NumberFormat(root.lang, { maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(bytes / 1e6);
}

// began: when, and with how many bytes
function showProgress(part, loaded, total, [moment, first]) {
  const left = Math.round(((Date.now() - moment) / 1000) * ((total - loaded) / (loaded - first)));
  const bar = find("progress", part);
  [bar.max, bar.value] = [total, loaded];
  find("p", part).textContent = (loaded < total ? part.dataset.uploading : part.dataset.stored)
    .replace("{done}", megabytes(loaded))
    .replace("{total}", megabytes(total))
    .replace("{left}", left < 100 ? unit(left, "second") : unit(Math.round(left / 60), "minute"));
}

function showSent({ target: form, detail: { loaded, total } }) {
  const part = find("[data-uploading]", form);
  if (part && loaded && total) showProgress(part, loaded, total, [form.dataset.began, 0]);
}

document.addEventListener("submit", sendWithProgress);
document.addEventListener("htmx:beforeSend", showUpload);
document.addEventListener("htmx:xhr:progress", showSent);
document.addEventListener("htmx:afterRequest", endUpload);
addEventListener("beforeunload", (event) => { if (find("form [data-uploading]")) event.preventDefault(); });
