// Listeners of the document, and what has to be done for a page and again for every fragment.
function prepare(within) {
  for (const form of all("form[data-guard]", within)) {
    // A form that came back with errors holds unsaved text from the start.
    form.unsaved ??= find("[data-error-summary]", form.parentElement) ? "" : contents(form);
  }
  all("[data-auto-hide]", within).forEach(hideLater);
  all("[data-countdown]", within).forEach(showTimeLeft);
  all("[data-error-summary]", within)[0]?.focus();
  all("[data-pieces]", within).forEach(sendPieces);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, [aria-disabled='true']");
  if (!button) return;
  if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
  else if (button.dataset.copy || button.dataset.copyFrom) copy(button);
  else if (button.dataset.themeChoice) {
    event.preventDefault();
    chooseTheme(button.dataset.themeChoice);
  } else if ("dismiss" in button.dataset) dismiss(button.closest(".message"));
  else if ("print" in button.dataset) print();
  else if ("retry" in button.dataset) retry(button);
  else if (button.dataset.refresh) refresh(find(button.dataset.refresh));
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", guardAgainstTwice);
addEventListener("beforeunload", warnBeforeLeaving);
addEventListener("pageshow", () => all("form[data-sent]").forEach(release));
// On a wide screen the navigation stands beside the page; one that was opened before would cover it.
matchMedia("(width >= 70rem)").addEventListener("change", () => find("#navigation")?.hidePopover?.());
setInterval(() => all("[data-countdown]").forEach(showTimeLeft), 60000);

prepare(document);
