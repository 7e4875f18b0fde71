// Toasts: what came of a request, said once. They leave by themselves, not while somebody points at them or is in them.
function leaveLater(toast) {
  let timer;
  const wait = () => { timer = setTimeout(() => toast.remove(), 12000); };
  const hold = () => clearTimeout(timer);
  delete toast.dataset.toast;
  for (const name of ["mouseenter", "focusin"]) toast.addEventListener(name, hold);
  for (const name of ["mouseleave", "focusout"]) toast.addEventListener(name, wait);
  wait();
}

function dismiss(message) {
  const back = failed?.isConnected && failed.offsetParent ? failed : find("#main");
  message.remove();
  back?.focus({ preventScroll: true });
}
