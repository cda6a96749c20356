// The admin by keyboard. What opens its menus, its sidebar and a list's filters are links without an address
// and plain boxes, which no key reaches: here they become buttons, and one is then in what was opened.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const OPENERS = ":is(a:not([href]), span, div.cursor-pointer)[x-on\\:click]";
  const FIELDS = "#filter-form :is(input:not([type=hidden]), select)";

  const opened = (opener) => opener.closest("#changelist")
    ? document.querySelector(FIELDS)
    : opener.parentElement.querySelector("nav :is(a, button)");

  for (const opener of document.querySelectorAll(OPENERS)) {
    opener.tabIndex = 0;
    opener.setAttribute("role", "button");
    if (opener.matches(".material-symbols-outlined")) opener.setAttribute("aria-label", "Menu");
    opener.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      opener.click();
      setTimeout(() => opened(opener)?.focus(), 100);
    });
  }
});
