// What must be said beside the page: failures of a request in the background, and short confirmations.
import { say } from "./words.js";

const region = (id, role) => {
  let place = document.getElementById(id);
  if (!place) {
    place = document.createElement("div");
    place.id = id;
    place.setAttribute("role", role);
    place.setAttribute("aria-live", role === "alert" ? "assertive" : "polite");
    document.body.append(place);
  }
  return place;
};

/** Tell people who listen to the page; nothing is shown. */
export const announce = (text) => {
  const place = region("announcer", "status");
  place.className = "visually-hidden";
  place.textContent = "";
  requestAnimationFrame(() => (place.textContent = text));
};

/** Show a failure until it is closed; the same one is not stacked. */
export const complain = (text) => {
  const place = region("notices", "alert");
  place.className = "notices";
  for (const old of place.children) if (old.dataset.text === text) old.remove();
  const notice = document.createElement("div");
  notice.className = "alert alert-danger alert-dismissible notice";
  notice.dataset.text = text;
  notice.append(text);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close";
  close.setAttribute("aria-label", say("close"));
  close.addEventListener("click", () => notice.remove());
  notice.append(close);
  place.append(notice);
};

const reason = (status) => {
  if (status === 401 || status === 403) return say("refused");
  if (status === 404 || status === 410) return say("missing");
  if (status === 429) return say("tooMany");
  return `${say("failed")}${new Date().toLocaleString("sv")}`;
};

// The server may name the failure itself, in the reader's language.
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  complain(xhr.getResponseHeader("X-Notice") ? decodeURIComponent(xhr.getResponseHeader("X-Notice")) : reason(xhr.status));
});
document.addEventListener("htmx:sendError", () => complain(say("offline")));
document.addEventListener("htmx:timeout", () => complain(say("offline")));
