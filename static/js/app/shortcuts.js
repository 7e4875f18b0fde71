// Keys that do something, as the sheet tells: not in a field, not with Ctrl or Alt, not where they were switched off.
const keysOn = searchBox && "keys" in searchBox.dataset;
let goUntil = 0; // a key pressed before this instant is the one after g

// The letter of the key; on keyboards without Latin letters the one that is printed in the same place.
function letter({ key, code }) {
  return /^[!-~]$/.test(key) ? key : code.replace(/^Key/, "").toLowerCase();
}

function stepRow(by) {
  const rows = all("main tbody tr, main .plain-list > li").filter((row) => find("th a, :scope > a", row));
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.max(0, Math.min(here + by, rows.length - 1))];
  if (next) find("th a, :scope > a", next).focus();
}

async function showSheet() {
  let sheet = find("#sheet");
  if (!sheet) {
    sheet = document.createElement("dialog");
    sheet.id = "sheet";
    sheet.setAttribute("aria-labelledby", "sheet-title");
    document.body.append(sheet);
    await htmx.ajax("GET", find("[data-sheet]").getAttribute("href"), { target: sheet, swap: "innerHTML" });
  }
  if (!sheet.firstElementChild) sheet.remove();
  else if (!sheet.open) sheet.showModal();
}

// A refused act is not done: the focus goes to it, and what it says of the reason is read.
function act(button) {
  if (button?.href) button.click();
  else button?.focus();
}

const keys = {
  "/": enterSearch,
  "?": showSheet,
  g: () => { goUntil = Date.now() + 1500; },
  j: () => stepRow(1),
  k: () => stepRow(-1),
  n: () => act(find(".page-head .actions :is(a[href*='/new'], .btn-primary[aria-disabled])")),
  o: () => document.activeElement.closest("main a")?.click(),
};

function press(event) {
  const { target, ctrlKey, metaKey, altKey, shiftKey } = event;
  const pressed = letter(event);
  if ((ctrlKey || metaKey) && !altKey && !shiftKey && pressed === "k" && searchBox) {
    event.preventDefault();
    enterSearch();
    return;
  }
  if (!keysOn || ctrlKey || metaKey || altKey || event.defaultPrevented || event.isComposing) return;
  if (target.closest("input, textarea, select, [contenteditable], dialog, #user-menu")) return;
  const chosenAct = Date.now() < goUntil ? () => find(`[data-go="${CSS.escape(pressed)}"]`)?.click() : keys[pressed];
  goUntil = 0;
  if (!chosenAct) return;
  event.preventDefault();
  chosenAct();
}

document.addEventListener("keydown", press);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-sheet]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.target.closest("[popover]")?.hidePopover?.(); // so that the focus comes back to its button
  showSheet();
});
