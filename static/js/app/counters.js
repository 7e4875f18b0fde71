// Asked for now and then while somebody looks, until the visit has ended: numbers in the navigation, news of a ticket.
function poll(seconds, ask) {
  let last = Date.now();
  const tick = async () => {
    if (document.hidden || Date.now() - last < seconds * 990) return;
    last = Date.now();
    if (await ask()) return;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
  const timer = setInterval(tick, seconds * 1000);
  document.addEventListener("visibilitychange", tick);
}

// What an address says; null: nothing new; false: ask no more.
async function news(address) {
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (answer.status === 200) return await answer.json();
    return answer.status === 401 || answer.status === 403 ? false : null;
  } catch {
    return null;
  }
}

const counters = find("[data-counters]");

function kept() {
  try {
    const found = JSON.parse(sessionStorage.counters);
    return found.who === counters.dataset.who ? found : {};
  } catch {
    return {};
  }
}

function showNumbers({ numbers = {} }) {
  for (const link of all("a", counters)) {
    find(".count", link)?.remove();
    link.removeAttribute("aria-description");
    const [number, sentence] = numbers[link.getAttribute("href")] || [];
    if (!number) continue;
    const badge = document.createElement("span");
    badge.className = "count";
    badge.ariaHidden = "true"; // read with the link, when somebody comes to it
    badge.textContent = number;
    link.title = sentence;
    link.setAttribute("aria-description", sentence);
    link.append(badge);
  }
}

async function count() {
  const had = kept();
  const found = await news(`${counters.dataset.counters}?seen=${had.tag || ""}`);
  if (found === false) return false;
  const now = { ...had, ...found, who: counters.dataset.who, at: Date.now() };
  sessionStorage.counters = JSON.stringify(now);
  showNumbers(now);
  return true;
}

if (counters) {
  showNumbers(kept());
  if (!(Date.now() - kept().at < 60000)) setTimeout(count, 1000);
  poll(60, count);
}

if (find("[data-news]")) {
  poll(30, async () => {
    const place = find("[data-news]");
    const found = place && await news(place.dataset.news);
    if (found) {
      find("button", place).textContent = found.text;
      place.hidden = false;
    }
    return found !== false;
  });
}
