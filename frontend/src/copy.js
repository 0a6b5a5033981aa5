// <button type="button" data-copy="91370100…">  or  <button data-copy-from="#receipt">: copies, and says so.
import { say } from "./words.js";
import { announce } from "./notices.js";

const legacyCopy = (text) => {
  // Plain http on an office network: the clipboard interface is missing there.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
};

const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return legacyCopy(text);
  }
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-copy-from]");
  if (!button) return;
  event.preventDefault();
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  const text = source ? (source.value ?? source.textContent).trim() : button.dataset.copy;
  const done = await copy(text);
  button.dataset.copied = done ? "yes" : "no";
  announce(say(done ? "copied" : "notCopied"));
  setTimeout(() => delete button.dataset.copied, 1600);
  button.focus();
});
