// Time left, counted from the server's clock (D1): [data-countdown="ISO time"][data-now="ISO time"].
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
  const hour = days || hours ? [unit(hours, "hour")] : [];
  const parts = days ? [unit(days, "day"), ...hour] : [...hour, unit(minutes % 60, "minute")];
  element.textContent = parts.join(" ");
}
