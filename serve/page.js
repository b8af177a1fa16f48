// page.js - keeps a page up to date, sorts and filters its tables, shows what is pointed at.
// Pages work without it. What it changes is put back when the page's content is replaced.
"use strict";
const PERIOD_MS = 2000, PATIENCE_MS = 10000, FILTER_FROM = 20;
const UNITS = { s: 1, m: 60, h: 3600, days: 86400, years: 31557600 };
const AMOUNTS = /([\d.e+]+) ?(days|years|[kMGTPEZY]?FLOP|[smh])( of work)?/g; // "1h30m", "3.3 TFLOP"
const [main, live, tip] = ["content", "live", "tip"].map(id => document.getElementById(id));
const wishes = new Map(); // by a table's caption: the column and sign of its order, words to filter by
const sources = new WeakMap(); // what the server sent for a part of the page
let tag = null;

document.addEventListener("pointermove", event => {
    tip.textContent = event.target.closest("[data-tip]")?.dataset.tip ?? "";
    tip.style.left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 4) + "px";
    tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4) + "px";
});

function valueOf(text, numeric) {
    if (text === "" || text === "-") return null;
    const amounts = [...text.matchAll(AMOUNTS)];
    if (amounts.map(amount => amount[0]).join("") === text)
        return amounts.reduce((sum, [, count, unit]) => sum + count *
            (UNITS[unit] ?? 1000 ** ("kMGTPEZY".indexOf(unit[0]) + 1)), 0);
    const number = numeric ? parseFloat(text.replace(/^[<[]/, "")) : Number(text);
    return isFinite(number) ? number : text;
}
// Numbers before words; what is missing comes last in both directions.
function compare(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a !== typeof b) return typeof a === "number" ? -sign : sign;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
}
function enhanceTable(table) {
    const name = table.caption.textContent, body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells], titles = heads.map(th => th.textContent);
    // of the columns some come and go, and some have the same title
    const columns = titles.map((title, i) => title + titles.slice(0, i).filter(t => t === title).length);
    const wish = wishes.get(name) ?? { words: "" };
    wishes.set(name, wish);
    function arrange() {
        const at = columns.indexOf(wish.column), words = wish.words.toLowerCase();
        const value = row => valueOf(row.cells[at].textContent, heads[at].className === "n");
        heads.forEach((th, i) =>
            th.setAttribute("aria-sort", i !== at ? "none" : wish.sign < 0 ? "descending" : "ascending"));
        if (at >= 0)
            body.append(...[...body.rows].sort((a, b) => compare(value(a), value(b), wish.sign)));
        for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(words);
    }
    heads.forEach((th, i) => {
        th.innerHTML = `<button>${th.innerHTML}</button>`;
        th.firstChild.dataset.key = name + columns[i];
        th.firstChild.addEventListener("click", () => {
            wish.sign = wish.column === columns[i] ? -wish.sign : 1;
            wish.column = columns[i];
            arrange();
        });
    });
    if (body.rows.length >= FILTER_FROM || wish.words !== "") {
        table.insertAdjacentHTML("beforebegin",
            '<label class="filter">Filter rows: <input type="search"></label>');
        const input = table.previousSibling.lastChild;
        input.value = wish.words;
        input.dataset.key = name;
        input.addEventListener("input", () => {
            wish.words = input.value;
            arrange();
        });
    }
    arrange();
}
// The same part as it stands in the page, if it has not changed; a form stays as it is filled in.
function take(olds, part) {
    const source = part.outerHTML;
    const at = olds.findIndex(old => sources.get(old) === source ||
        old.tagName === "FORM" && part.tagName === "FORM");
    if (at >= 0) return olds.splice(at, 1)[0];
    sources.set(part, source);
    for (const title of part.querySelectorAll("svg * > title")) {
        title.parentNode.dataset.tip = title.textContent;
        title.remove();
    }
    part.querySelectorAll("table").forEach(enhanceTable);
    return part;
}
// Replaces the parts of the page that have changed; where the keyboard was, and how far tables
// were moved sideways, it stays.
function update(text) {
    const next = new DOMParser().parseFromString(text, "text/html").getElementById("content");
    const focus = document.activeElement, shell = focus.cloneNode();
    const likes = () => [...main.querySelectorAll(focus.localName)]
        .filter(node => node.cloneNode().isEqualNode(shell));
    const place = likes().indexOf(focus);
    const wide = () => [...main.querySelectorAll(".wide")], moved = wide().map(node => node.scrollLeft);
    const olds = [...main.children], parts = [...next.children].map(part => take(olds, part));
    olds.forEach(old => old.remove());
    parts.forEach((part, i) => {
        if (part !== main.children[i]) main.insertBefore(part, main.children[i] ?? null);
    });
    if (wide().length === moved.length) wide().forEach((node, i) => { node.scrollLeft = moved[i]; });
    if (place < 0 || focus === document.activeElement) return;
    const again = likes()[place];
    again?.focus({ preventScroll: true });
    again?.setSelectionRange?.(focus.selectionStart, focus.selectionEnd);
}
// Asks whether the page has changed; the state of things, in words.
async function ask() {
    if (document.hidden) return "paused";
    const headers = tag ? { "If-None-Match": tag } : {}, signal = AbortSignal.timeout(PATIENCE_MS);
    const reply = await fetch(location.href, { headers, signal, cache: "no-store" }).catch(() => null);
    const text = await reply?.text().catch(() => null);
    if (text == null) return "hrmlab serve does not answer";
    if (reply.status === 200) {
        update(text);
        tag = reply.headers.get("ETag"); // only now: it says what is shown
    }
    return reply.status === 200 || reply.status === 304 ? "live" : "not live: reload the page to see why";
}
function say(state) { if (live.textContent !== state) live.textContent = state; }
function poll() {
    ask().then(say).finally(() => setTimeout(poll, PERIOD_MS));
}
for (const part of main.children) take([], part);
setTimeout(poll, PERIOD_MS);
