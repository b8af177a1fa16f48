// page.js - keeps a page up to date, sorts and filters its tables, shows what is pointed at.
// Pages work without it. What it changes is put back when the page's content is replaced.
"use strict";
const PERIOD_MS = 2000, PATIENCE_MS = 10000, FILTER_FROM = 20;
const UNITS = { s: 1, m: 60, h: 3600, days: 86400, years: 31557600 };
const DURATION = /^(\d+h\d+m|\d+m\d+s|\d+s|[\d.e+]+ (days|years))( of work)?$/;
const main = document.getElementById("content");
const sorts = new Map(), filters = new Map(); // by the table's caption
let tag = null, parts = [];

const live = document.createElement("p");
live.id = "live";
live.setAttribute("role", "status");
document.querySelector("header").append(live);
function say(text) { if (live.textContent !== text) live.textContent = text; }

const tip = document.createElement("div");
tip.id = "tip";
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);
document.addEventListener("pointermove", event => {
    const shape = event.target.closest("[data-tip]");
    tip.textContent = shape ? shape.dataset.tip : "";
    tip.style.left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 4) + "px";
    tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4) + "px";
});

function valueOf(text, numeric) {
    if (text === "" || text === "-") return null;
    if (DURATION.test(text))
        return [...text.matchAll(/([\d.e+]+) ?(days|years|[hms])/g)]
            .reduce((sum, [, count, unit]) => sum + count * UNITS[unit], 0);
    const number = numeric ? parseFloat(text.replace(/^[<[]/, "")) : Number(text);
    const prefix = / ([kMGTPEZY])FLOP$/.exec(text); // "3.3 TFLOP"
    return isFinite(number) ? number * (prefix ? 1000 ** ("kMGTPEZY".indexOf(prefix[1]) + 1) : 1) : text;
}
// Numbers before words; what is missing comes last in both directions.
function compare(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a !== typeof b) return typeof a === "number" ? -sign : sign;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
}
// The names of a table's columns, of which some come and go.
function columnsOf(heads) {
    const titles = heads.map(th => th.textContent);
    return titles.map((title, i) => title + "|" + titles.slice(0, i).filter(t => t === title).length);
}
function sortTable(table, name) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    const column = columnsOf(heads).indexOf(sorts.get(name).column), sign = sorts.get(name).sign;
    heads.forEach((th, i) =>
        th.setAttribute("aria-sort", i !== column ? "none" : sign < 0 ? "descending" : "ascending"));
    if (column < 0) return;
    const numeric = heads[column].className === "n";
    [...body.rows].map(row => [valueOf(row.cells[column].textContent, numeric), row])
        .sort((a, b) => compare(a[0], b[0], sign))
        .forEach(pair => body.append(pair[1]));
}
function filterTable(table, name) {
    const words = filters.get(name).toLowerCase();
    for (const row of table.tBodies[0].rows)
        row.hidden = !row.textContent.toLowerCase().includes(words);
}
function enhanceTable(table) {
    const name = table.caption.textContent, heads = [...table.tHead.rows[0].cells];
    const columns = columnsOf(heads);
    heads.forEach((th, i) => {
        const button = document.createElement("button"), column = columns[i];
        button.type = "button";
        button.dataset.key = name + "|" + column;
        button.append(...th.childNodes);
        button.addEventListener("click", () => {
            const now = sorts.get(name);
            sorts.set(name, { column, sign: now && now.column === column ? -now.sign : 1 });
            sortTable(table, name);
        });
        th.append(button);
        th.setAttribute("aria-sort", "none");
    });
    if (sorts.has(name)) sortTable(table, name);
    if (table.tBodies[0].rows.length < FILTER_FROM && !filters.has(name)) return;
    const label = document.createElement("label"), input = document.createElement("input");
    label.className = "filter";
    input.type = "search";
    input.value = filters.get(name) || "";
    input.dataset.key = name;
    input.addEventListener("input", () => { filters.set(name, input.value); filterTable(table, name); });
    label.append("Filter rows: ", input);
    table.before(label);
    if (filters.has(name)) filterTable(table, name);
}
function enhance(part) {
    for (const title of part.querySelectorAll("svg * > title")) {
        title.parentNode.dataset.tip = title.textContent;
        title.remove();
    }
    part.querySelectorAll("table").forEach(enhanceTable);
}

function partsOf(content) {
    return [...content.children].map(node => ({ html: node.outerHTML, node }));
}
// Takes the part out of the old ones that has not changed; a form stays as it is filled in.
function take(olds, part) {
    const at = olds.findIndex(old => old.html === part.html ||
        old.node.tagName === "FORM" && part.node.tagName === "FORM");
    if (at >= 0) return olds.splice(at, 1)[0];
    enhance(part.node);
    return part;
}
// What the keyboard reaches under the same name: a table's button, a link, a field.
function namesakes(node) {
    const nameOf = n => n.dataset.key || n.id || n.getAttribute("href") || n.getAttribute("aria-label");
    return [...main.querySelectorAll("a, button, input, select, [tabindex]")]
        .filter(other => nameOf(other) === nameOf(node));
}
// Replaces the parts of the content that have changed; where the keyboard was, and how far
// tables were moved sideways, it stays.
function update(text) {
    const next = partsOf(new DOMParser().parseFromString(text, "text/html").getElementById("content"));
    const focus = document.activeElement, place = namesakes(focus).indexOf(focus);
    const wide = () => [...main.querySelectorAll(".wide")], moved = wide().map(node => node.scrollLeft);
    const alike = next.length === parts.length, olds = [...parts];
    const now = next.map((part, i) => take(alike ? [parts[i]] : olds, part));
    if (alike) now.forEach((part, i) => { if (part !== parts[i]) parts[i].node.replaceWith(part.node); });
    else main.replaceChildren(...now.map(part => part.node));
    parts = now;
    if (wide().length === moved.length) wide().forEach((node, i) => { node.scrollLeft = moved[i]; });
    if (place < 0 || focus === document.activeElement) return;
    const again = namesakes(focus)[place];
    again?.focus({ preventScroll: true });
    again?.setSelectionRange?.(focus.selectionStart, focus.selectionEnd);
}
// Asks whether the page has changed; the state of things, in words.
async function ask() {
    const headers = tag ? { "If-None-Match": tag } : {}, signal = AbortSignal.timeout(PATIENCE_MS);
    let reply, text;
    try {
        reply = await fetch(location.href, { headers, signal, cache: "no-store" });
        text = await reply.text();
    } catch {
        return "hrmlab serve does not answer";
    }
    if (reply.status === 200) {
        update(text);
        tag = reply.headers.get("ETag"); // only now: it says what is shown
    }
    return reply.status === 200 || reply.status === 304 ? "live" : "not live: reload the page to see why";
}
async function poll() {
    try {
        say(document.hidden ? "paused" : await ask());
    } finally {
        setTimeout(poll, PERIOD_MS);
    }
}
parts = partsOf(main);
parts.forEach(part => enhance(part.node));
setTimeout(poll, PERIOD_MS);
