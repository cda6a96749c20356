// A form is sent once. The second click of a double click would be refused, and the person told that what
// he has just done was not done; or it would meet the button of the next request, which nobody has read.
"use strict";

(() => {
  const DOUBLE_CLICK_MS = 500;
  const PATIENCE_MS = 10000;
  const SENT_AT = "bursar-sent-at";
  let sent = new WeakMap();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method") !== "post") return; // a field may be called `method`
    const now = Date.now();
    const again = now - (sent.get(form) ?? 0) < PATIENCE_MS;
    const decides = form.hasAttribute("data-decides");
    const unread = decides && now - Number(sessionStorage.getItem(SENT_AT)) < DOUBLE_CLICK_MS;
    if (again || unread) return event.preventDefault();
    sent.set(form, now);
    if (decides) sessionStorage.setItem(SENT_AT, String(now));
  });
  // A page that the browser kept may be sent anew.
  window.addEventListener("pageshow", () => { sent = new WeakMap(); });
})();
