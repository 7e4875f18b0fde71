// The theme switch: [data-theme-choice].
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
