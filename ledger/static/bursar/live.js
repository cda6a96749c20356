/* Badges that follow their rows while a page is open: asks now and then, and is answered 304 when nothing
   has changed. A row's own page is drawn anew when its status changes, so that what can be done next is
   there as well. */
"use strict";

(() => {
  const QUICK = 2000;
  const SLOW = 15000;
  const known = new Map();
  let pause = QUICK;

  const badges = () => [...document.querySelectorAll("[data-live]")];

  function addresses() {
    const ids = new Map();
    for (const badge of badges()) {
      const url = badge.dataset.liveUrl;
      ids.set(url, (ids.get(url) ?? new Set()).add(badge.dataset.live));
    }
    return [...ids].map(([url, rows]) => `${url}?${new URLSearchParams([...rows].map((id) => ["id", id]))}`);
  }

  async function ask(address) {
    const headers = known.has(address) ? { "If-None-Match": known.get(address) } : {};
    const answer = await fetch(address, { headers, cache: "no-store", redirect: "error" });
    if (answer.status === 304 || !answer.ok) {
      return false;
    }
    known.set(address, answer.headers.get("ETag"));
    return show(await answer.json());
  }

  function show(statuses) {
    let changed = false;
    for (const badge of badges()) {
      const now = statuses[badge.dataset.live];
      if (now && badge.textContent !== now.text) {
        badge.textContent = now.text;
        badge.className = `b-badge b-${now.tone}`;
        changed = true;
      }
    }
    return changed;
  }

  async function drawAnew() {
    const page = document.querySelector(".b-page .b-title [data-live]")?.closest(".b-page");
    if (!page || page.querySelector("form")) {
      return;
    }
    const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
    if (!answer.ok) {
      return;
    }
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".b-page");
    if (drawn) {
      page.replaceChildren(...drawn.childNodes);
    }
  }

  async function round() {
    if (document.visibilityState === "visible") {
      try {
        const changes = await Promise.all(addresses().map(ask));
        const changed = changes.some(Boolean);
        pause = changed ? QUICK : Math.min(pause * 1.1, SLOW);
        if (changed) {
          await drawAnew();
        }
      } catch {
        pause = SLOW;
      }
    }
    setTimeout(round, pause);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (badges().length) {
      setTimeout(round, pause);
    }
  });
  document.addEventListener("visibilitychange", () => {
    pause = QUICK;
  });
})();
