// page.js - keeps a page up to date, sorts and filters its tables, shows what is pointed at.
// Pages work without it. What it changes is put back when the page's content is replaced.
"use strict";
const PERIOD_MS = 2000, FILTER_FROM = 20;
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

function valueOf(row, column, numeric) {
    const text = row.cells[column].textContent, number = parseFloat(text.replace("<", ""));
    const prefix = / ([kMGTPEZY])FLOP$/.exec(text); // "3.3 TFLOP"
    const power = prefix ? "kMGTPEZY".indexOf(prefix[1]) + 1 : 0;
    return numeric && !isNaN(number) ? number * 1000 ** power : text;
}
function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return typeof a === typeof b ? a.localeCompare(b, undefined, { numeric: true }) : typeof a === "number" ? -1 : 1;
}
function sortTable(table, name) {
    const { column, down } = sorts.get(name), body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells], numeric = heads[column].className === "n";
    heads.forEach((th, i) =>
        th.setAttribute("aria-sort", i !== column ? "none" : down ? "descending" : "ascending"));
    [...body.rows].map(row => [valueOf(row, column, numeric), row])
        .sort((a, b) => down ? compare(b[0], a[0]) : compare(a[0], b[0]))
        .forEach(pair => body.append(pair[1]));
}
function filterTable(table, name) {
    const words = filters.get(name).toLowerCase();
    for (const row of table.tBodies[0].rows)
        row.hidden = !row.textContent.toLowerCase().includes(words);
}
function enhanceTable(table) {
    const name = table.caption.textContent;
    [...table.tHead.rows[0].cells].forEach((th, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.key = name + "|" + column;
        button.append(...th.childNodes);
        button.addEventListener("click", () => {
            const now = sorts.get(name);
            sorts.set(name, { column, down: now && now.column === column ? !now.down : false });
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

// Replaces the parts of the content that have changed; where the keyboard was, it stays.
function partsOf(content) {
    return [...content.children].map(node => ({ html: node.outerHTML, node }));
}
function update(text) {
    const next = partsOf(new DOMParser().parseFromString(text, "text/html").getElementById("content"));
    const key = document.activeElement && document.activeElement.dataset.key;
    const alike = next.length === parts.length;
    next.forEach((part, i) => {
        if (alike && (parts[i].html === part.html || part.node.tagName === "FORM")) {
            next[i] = parts[i];
            return;
        }
        enhance(part.node);
        if (alike) parts[i].node.replaceWith(part.node);
    });
    if (!alike) main.replaceChildren(...next.map(part => part.node));
    parts = next;
    if (key) main.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}
async function poll() {
    if (document.hidden) say("paused");
    else try {
        const headers = tag ? { "If-None-Match": tag } : {};
        const reply = await fetch(location.href, { headers, cache: "no-store" });
        if (reply.status === 200) {
            tag = reply.headers.get("ETag");
            update(await reply.text());
        }
        say(reply.status === 200 || reply.status === 304 ? "live" : "not live");
    } catch {
        say("hrmlab serve does not answer");
    }
    setTimeout(poll, PERIOD_MS);
}
parts = partsOf(main);
parts.forEach(part => enhance(part.node));
setTimeout(poll, PERIOD_MS);
