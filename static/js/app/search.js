// The search box: suggestions below it, steered from the box (a combobox), and the ways in and out by keyboard.
const searchBox = find("[data-search]");
const suggestions = find("#suggestions");
let cameFrom; // what had the focus before a key led into the box
let chosen = -1;
let taken; // the address of what was chosen when a new answer came
let wanted = false; // an answer that comes after the list was closed opens nothing

const options = () => all("[role=option]", suggestions);

function choose(place) {
  const found = options();
  chosen = place < -1 ? found.length - 1 : place < found.length ? place : -1;
  found.forEach((option, number) => option.setAttribute("aria-selected", String(number === chosen)));
  searchBox.setAttribute("aria-activedescendant", found[chosen]?.id || "");
  found[chosen]?.scrollIntoView({ block: "nearest" });
}

function openSuggestions(open) {
  suggestions.hidden = !open;
  searchBox.setAttribute("aria-expanded", String(open && options().length > 0));
  wanted &&= open;
  choose(-1);
}

function suggest() {
  wanted = true;
  htmx.trigger(searchBox.form, "suggest");
}

function enterSearch() {
  if (!searchBox) return;
  if (document.activeElement !== searchBox) cameFrom = document.activeElement;
  searchBox.focus();
  searchBox.select();
}

function leaveSearch() {
  const back = cameFrom?.isConnected && cameFrom !== document.body ? cameFrom : null;
  cameFrom = null;
  searchBox.blur();
  back?.focus();
}

function steer(event) {
  const open = !suggestions.hidden;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const option = event.key === "Enter" && open && options()[chosen];
  if (event.isComposing || !(step || option || event.key === "Escape")) return;
  event.preventDefault();
  if (option) option.click();
  else if (step && open) choose(chosen + step);
  else if (step) suggest();
  else if (open && searchBox.value) openSuggestions(false);
  else leaveSearch();
}

if (searchBox && suggestions) {
  const combobox = { role: "combobox", "aria-autocomplete": "list", "aria-controls": "suggestion-list", "aria-expanded": "false" };
  for (const [name, value] of Object.entries(combobox)) searchBox.setAttribute(name, value);
  searchBox.addEventListener("keydown", steer);
  searchBox.addEventListener("focus", suggest);
  searchBox.addEventListener("input", () => { wanted = true; choose(-1); });
  searchBox.addEventListener("blur", () => openSuggestions(false));
  // A click on a suggestion leaves the focus in the box, so that the list stays until the click is done.
  suggestions.addEventListener("mousedown", (event) => event.preventDefault());
  // What was chosen while the answer was on its way stays chosen if it is still there.
  suggestions.addEventListener("htmx:beforeSwap", () => { taken = options()[chosen]?.getAttribute("href"); });
  suggestions.addEventListener("htmx:afterSettle", () => {
    if (!wanted) return;
    openSuggestions(true);
    choose(options().findIndex((option) => option.getAttribute("href") === taken));
    announce(find("[data-announce]", suggestions).textContent);
  });
}
