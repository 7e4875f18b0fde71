// Forms: not sent twice ([data-resend]: may be sent again soon), asked before they are left ([data-guard]).
function contents(form) {
  const pairs = [...new FormData(form)].map(([name, value]) => [name, value.name ?? value]);
  return JSON.stringify(pairs.filter(([name]) => name !== "csrf_token"));
}

function release(form) {
  delete form.dataset.sent;
  for (const button of all("button.busy", form)) {
    button.classList.remove("busy");
    button.disabled = false;
  }
}

function guardAgainstTwice(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = event.submitter;
  if (button) button.classList.add("busy");
  // Disabled only after the browser has read the form: the button's own name and value must be sent.
  setTimeout(() => { if (button) button.disabled = true; }, 0);
  setTimeout(() => release(form), "resend" in form.dataset ? 1500 : 15000);
}

function isUnsaved(form) {
  return !form.dataset.sent && form.unsaved !== contents(form);
}

function warnBeforeLeaving(event) {
  if (all("form[data-guard]").some(isUnsaved)) event.preventDefault();
}
