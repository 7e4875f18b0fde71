// Runs before the first paint: the chosen theme, and the sign that scripts work (.js-only parts show up).
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
  } catch {
    // Storage may be forbidden: then the system's theme stays.
  }
})();
