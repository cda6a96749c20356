// The approvals page without a mouse: moving through the queue, ticking, and the sums of what is ticked.
// Everything here works without it as well; it only saves steps.
"use strict";

const list = document.querySelector(".w-list");
const detail = document.getElementById("detail");
const help = document.getElementById("help");
const links = list ? [...list.querySelectorAll(".w-link")] : [];
const boxes = list ? [...list.querySelectorAll("input[name=items]")] : [];
const wide = window.matchMedia("(min-width: 900px)");
let latest = 0;

const decimals = (text) => (text.split(".")[1] || "").length;

// Exact: the amounts as integers of the finest unit, never as floating point.
function sums() {
  const found = new Map();
  for (const box of boxes.filter((one) => one.checked)) {
    const {amount, currency} = box.dataset;
    const places = Math.max(decimals(amount), found.get(currency)?.places ?? 0);
    const scaled = (text, from) => BigInt(text.replace(".", "")) * 10n ** BigInt(places - from);
    const before = found.get(currency);
    const total = before ? before.total * 10n ** BigInt(places - before.places) : 0n;
    found.set(currency, {places, total: total + scaled(amount, decimals(amount))});
  }
  return [...found].sort().map(([currency, {places, total}]) => {
    const sign = total < 0n ? "-" : "";
    const digits = (total < 0n ? -total : total).toString().padStart(places + 1, "0");
    const whole = digits.slice(0, digits.length - places).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    const rest = places ? digits.slice(-places).replace(/0+$/, "") : "";
    return `${currency} ${sign}${whole}${rest ? "." + rest.padEnd(2, "0") : ""}`;
  });
}

function showSums() {
  const bar = document.querySelector("[data-selected]");
  if (!bar) return;
  const many = boxes.filter((one) => one.checked).length;
  bar.classList.toggle("w-some", many > 0);
  bar.querySelector("[data-sums]").textContent = many
    ? `${many} ticked: ${sums().join(" + ")}`
    : "Tick requests to approve them together with one code.";
  bar.querySelector("button").disabled = many === 0;
}

function current() {
  return Math.max(links.findIndex((link) => link.getAttribute("aria-current")), 0);
}

async function open(link) {
  for (const other of links) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  link.focus({preventScroll: true});
  link.scrollIntoView({block: "nearest"});
  if (!wide.matches) return;
  const mine = ++latest;
  const answer = await fetch(`${link.href}&part=detail`, {credentials: "same-origin"});
  if (!answer.ok || answer.redirected) return window.location.assign(link.href);
  const text = await answer.text();
  if (mine !== latest) return;
  detail.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  window.history.replaceState(null, "", link.href);
}

function move(by) {
  const next = links[Math.min(Math.max(current() + by, 0), links.length - 1)];
  if (next) open(next);
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: () => {
    const box = links[current()]?.closest("li").querySelector("input[name=items]");
    if (box) { box.checked = !box.checked; showSums(); }
  },
  a: () => detail.querySelector("[data-approve]")?.focus(),
  r: () => detail.querySelector("textarea")?.focus(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (act) { event.preventDefault(); act(); }
});

list?.addEventListener("click", (event) => {
  const link = event.target.closest(".w-link");
  if (!link || !wide.matches || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link);
});

for (const box of boxes) box.addEventListener("change", showSums);
const button = document.querySelector("[data-help]");
if (button) { button.hidden = false; button.addEventListener("click", () => help.showModal()); }
// A browser that goes back ticks what was ticked, and tells nobody.
window.addEventListener("pageshow", showSums);
showSums();
