// The theme switch: [data-theme-choice]. The server reads the same cookie and writes the same attributes (web/themes.py), so
// that the next page comes in the theme at once; without scripts the buttons send their form.
const themeAttributes = { light: ["bsTheme", "light"], dark: ["bsTheme", "dark"], contrast: ["contrast", "more"] };

function chosenTheme() {
  return root.dataset.bsTheme || (root.dataset.contrast ? "contrast" : "system");
}

function chooseTheme(theme) {
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax${secure}`;
  wearTheme(theme);
}

function wearTheme(theme) {
  delete root.dataset.bsTheme;
  delete root.dataset.contrast;
  if (themeAttributes[theme]) root.dataset[themeAttributes[theme][0]] = themeAttributes[theme][1];
  for (const button of all("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosenTheme()));
  }
}

// A page that the browser kept (back, forward) wears what was chosen since.
addEventListener("pageshow", (event) => {
  if (event.persisted) wearTheme(/(?:^|; )theme=(\w+)/.exec(document.cookie)?.[1]);
});
