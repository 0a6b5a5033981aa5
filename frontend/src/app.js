// What every page loads: htmx, Alpine's components, Tabler's menus and dialogs.
import "@tabler/core/dist/js/tabler.esm.min.js";
import htmx from "htmx.org";
import Alpine from "@alpinejs/csp";
import components from "./components/index.js";
import "./copy.js";
import "./keyboard.js";
import "./notices.js";

Object.assign(htmx.config, {
  allowEval: false, // the Content-Security-Policy forbids it as well
  includeIndicatorStyles: false, // they would be an inline style, and no page has an indicator
  historyCacheSize: 0, // pages hold other people's data: nothing of them stays in the browser's storage
  timeout: 60000, // milliseconds
  // A form that was refused comes back with its findings; any other failure leaves the page as it is.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ],
});

// Where a page does not give the token with hx-headers, its cookie or meta element does.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  const known = Object.keys(detail.headers).some((name) => name.toLowerCase() === "x-csrftoken");
  const token =
    document.querySelector('meta[name="csrf-token"]')?.content ||
    document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1];
  if (!known && token && detail.verb !== "get") detail.headers["X-CSRFToken"] = token;
});

// After a fragment was exchanged the reader's place is its first heading or finding, if it asks for it.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  target.querySelector?.("[data-focus]")?.focus({ preventScroll: false });
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) {
    event.preventDefault();
    window.print();
  }
});

// Where the reader is stands in the part of the menu he sees.
document.querySelector("aside .offcanvas [aria-current=page]")?.scrollIntoView({ block: "nearest" });

for (const [name, component] of Object.entries(components)) Alpine.data(name, component);
window.htmx = htmx;
Alpine.start();
