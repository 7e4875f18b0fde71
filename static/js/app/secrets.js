// A shown key leaves the page by itself (B4): [data-auto-hide="seconds"].
function hideLater(secret) {
  const seconds = Number(secret.dataset.autoHide);
  delete secret.dataset.autoHide;
  setTimeout(() => {
    secret.textContent = text("textHidden");
    announce(text("textHidden"));
  }, seconds * 1000);
}
