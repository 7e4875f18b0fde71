// Checks of an open page that tests/browser/zoom.py runs in it.

function name(each) {
    const words = (each.textContent || each.ariaLabel || each.name || "").trim().slice(0, 40);
    return `${each.tagName.toLowerCase()}${each.id ? "#" + each.id : ""}.${[...each.classList].join(".")} “${words}”`;
}

// Remembers what a person can work on this page, as it is on the desk.
function remember() {
    const controls = "a[href]:not([role=option]), button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    window.workedOnDesk = [...document.querySelectorAll(controls)].filter((each) => each.checkVisibility() && each.getClientRects().length);
    return window.workedOnDesk.length;
}

// Everything that has to be scrolled sideways: the page, or a part of it.
function sideways() {
    const page = document.scrollingElement;
    const wide = [...document.querySelectorAll("body *")].filter((each) => {
        const style = getComputedStyle(each);
        return each.checkVisibility() && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 1
            && /auto|scroll/.test(style.overflowX) && !each.matches("input, textarea, select");
    });
    const scrolled = (each) => wide.some((part) => part.contains(each));
    const hidden = (each) => each.closest(".visually-hidden") || getComputedStyle(each).clipPath !== "none";
    const out = [...document.querySelectorAll("main *")].filter((each) =>
        each.checkVisibility() && each.getClientRects().length && each.getBoundingClientRect().right > page.clientWidth + 1
        && !scrolled(each) && !hidden(each));
    return [
        ...(page.scrollWidth > innerWidth ? [`the page is ${page.scrollWidth} wide`] : []),
        ...(out.length ? [`cut off at the side: ${out.slice(-3).map(name).join(", ")}`] : []),
        ...wide.map((each) => `${name(each)} has to be scrolled sideways: ${each.scrollWidth} in ${each.clientWidth}`),
    ];
}

// What was there on the desk and cannot be reached, is covered when it has the focus, or is too small to be hit.
function unreached() {
    const open = (each) => {
        const popover = each.closest("[popover]");
        for (const other of document.querySelectorAll(":popover-open")) if (other !== popover) other.hidePopover();
        if (popover && !popover.matches(":popover-open") && getComputedStyle(popover).display === "none") popover.showPopover();
    };
    const found = [];
    const before = document.activeElement;
    for (const each of window.workedOnDesk.filter((one) => one.isConnected)) {
        open(each);
        if (!each.checkVisibility() || !each.getClientRects().length) {
            found.push(`${name(each)} is gone`);
            continue;
        }
        each.focus();
        const box = each.getBoundingClientRect();
        const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
        if (right - left < Math.min(box.width, 24) - 1) found.push(`${name(each)} is outside: ${box.left} to ${box.right}`);
        const inText = getComputedStyle(each).display === "inline";
        const label = each.matches("input[type=checkbox], input[type=radio]") && each.labels[0];
        if (!inText && !label && each.tabIndex >= 0 && (box.width < 23.5 || box.height < 23.5)) {
            found.push(`${name(each)} is small: ${box.width.toFixed()} x ${box.height.toFixed()}`);
        }
        // What is higher than the window is looked at where it is in sight.
        const top = Math.max(box.top, 0), bottom = Math.max(Math.min(box.bottom, innerHeight), top + 1);
        const points = [0.15, 0.5, 0.85].flatMap((x) => [0.15, 0.5, 0.85].map((y) => [left + x * (right - left), top + y * (bottom - top)]));
        const inside = points.filter(([x, y]) => y > 0 && y < innerHeight);
        const free = inside.filter(([x, y]) => {
            const there = document.elementFromPoint(x, y);
            return there && (each.contains(there) || there.contains(each) || there.matches("label"));
        });
        if (document.activeElement === each && !free.length) found.push(`${name(each)} is covered when it has the focus`);
    }
    for (const other of document.querySelectorAll(":popover-open")) other.hidePopover();
    before?.focus?.();
    scrollTo(0, 0);
    return found;
}
