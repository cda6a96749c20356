// Lists by keyboard: what opens with a click opens with Enter and the space bar as well, and what is opened
// is where one is then. The admin's own openers are links without an address, which no key reaches.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const opener of document.querySelectorAll("a[x-on\\:click]:not([href])")) {
    opener.tabIndex = 0;
    opener.setAttribute("role", "button");
    opener.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      opener.click();
      const opened = () => document.querySelector("#filter-form :is(input:not([type=hidden]), select)")?.focus();
      setTimeout(opened, 100);
    });
  }
});
