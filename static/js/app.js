// Enhancements only: every page works without this file. Parts are marked by data attributes:
//   data-copy="text" | data-copy-from="#id"   copy button         data-auto-hide="60"   secret that leaves after seconds
//   data-guard     form that asks before it is left               data-autosubmit       select that sends its form
//   data-countdown="ISO time" data-now="ISO time"  time left      data-theme-choice     theme switch
//   data-dismiss   closes its message                             data-resend           form that may be sent again soon
(() => {
  "use strict";

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

  // ---- Theme
  function chosenTheme() {
    return root.dataset.bsTheme || "system";
  }

  function chooseTheme(theme) {
    try {
      if (theme === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch {
      // Storage may be forbidden: the choice then lasts for this page.
    }
    if (theme === "system") delete root.dataset.bsTheme;
    else root.dataset.bsTheme = theme;
    showTheme();
  }

  function showTheme() {
    for (const button of all("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosenTheme()));
    }
  }

  // ---- Copy
  function select(element) {
    if (element.select) element.select();
    else getSelection().selectAllChildren(element);
  }

  async function copy(button) {
    const source = button.dataset.copyFrom ? find(button.dataset.copyFrom) : null;
    const value = button.dataset.copy || (source ? source.value || source.textContent.trim() : "");
    try {
      await navigator.clipboard.writeText(value);
      showCopied(button);
    } catch {
      if (source) select(source);
      announce(text("textSelectToCopy"));
    }
  }

  function showCopied(button) {
    const label = find("[data-label]", button) || button;
    label.dataset.before ??= label.textContent;
    label.textContent = text("textCopied");
    announce(text("textCopied"));
    setTimeout(() => { label.textContent = label.dataset.before; }, 2000);
  }

  // ---- A shown key leaves the page by itself (B4)
  function hideLater(secret) {
    const seconds = Number(secret.dataset.autoHide);
    delete secret.dataset.autoHide;
    setTimeout(() => {
      secret.textContent = text("textHidden");
      announce(text("textHidden"));
    }, seconds * 1000);
  }

  // ---- Time left, counted from the server's clock (D1)
  const loaded = Date.now();

  function unit(count, name) {
    return new Intl.NumberFormat(root.lang, { style: "unit", unit: name, unitDisplay: "long" }).format(count);
  }

  function showTimeLeft(element) {
    const passed = Date.now() - loaded;
    const left = Date.parse(element.dataset.countdown) - Date.parse(element.dataset.now) - passed;
    if (!(left > 0)) return;
    const minutes = Math.floor(left / 60000);
    const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
    const parts = days ? [unit(days, "day"), unit(hours, "hour")] : [unit(hours, "hour"), unit(minutes % 60, "minute")];
    element.textContent = parts.join(" ");
  }

  // ---- Forms
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

  function warnBeforeLeaving(event) {
    const unsaved = all("form[data-guard]").some((form) => !form.dataset.sent && form.unsaved !== contents(form));
    if (unsaved) event.preventDefault();
  }

  // ---- What has to be done for a page, and again for every fragment
  function prepare(within) {
    for (const form of all("form[data-guard]", within)) {
      // A form that came back with errors holds unsaved text from the start.
      form.unsaved = find("[data-error-summary]", form.parentElement) ? "" : contents(form);
    }
    all("[data-auto-hide]", within).forEach(hideLater);
    all("[data-countdown]", within).forEach(showTimeLeft);
    all("[data-error-summary]", within)[0]?.focus();
    showTheme();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, [aria-disabled='true']");
    if (!button) return;
    if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
    else if (button.dataset.copy || button.dataset.copyFrom) copy(button);
    else if (button.dataset.themeChoice) chooseTheme(button.dataset.themeChoice);
    else if ("dismiss" in button.dataset) button.closest(".message").remove();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    const search = find("[data-search]");
    if (search && event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  document.addEventListener("submit", guardAgainstTwice);
  addEventListener("beforeunload", warnBeforeLeaving);
  addEventListener("pageshow", () => all("form[data-sent]").forEach(release));
  setInterval(() => all("[data-countdown]").forEach(showTimeLeft), 60000);

  // ---- htmx: token, busy state, errors that nobody else shows
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

  prepare(document);
})();
