// Loaded in the head, before anything is painted: a page must not flash in the wrong colours or size.
const root = document.documentElement;
const read = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be switched off
  }
};
const dark = read("anze-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
root.dataset.bsTheme = dark === "dark" ? "dark" : "light";
if (read("anze-text") === "large") root.dataset.text = "large";
