// Light or dark, and large text (适老化). Kept on this device; early.js applies it before the first paint.
// <div x-data="appearance"><button x-on:click="toggleText" x-bind:aria-pressed="largePressed">…</button></div>
const root = document.documentElement;

const keep = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the choice holds for this page.
  }
};

export default () => ({
  dark: root.dataset.bsTheme === "dark",
  large: root.dataset.text === "large",

  get darkPressed() {
    return String(this.dark);
  },
  get largePressed() {
    return String(this.large);
  },
  toggleTheme() {
    this.dark = !this.dark;
    root.dataset.bsTheme = this.dark ? "dark" : "light";
    keep("anze-theme", root.dataset.bsTheme);
    document.dispatchEvent(new CustomEvent("anze:appearance"));
  },
  toggleText() {
    this.large = !this.large;
    if (this.large) root.dataset.text = "large";
    else delete root.dataset.text;
    keep("anze-text", this.large ? "large" : "normal");
    document.dispatchEvent(new CustomEvent("anze:appearance"));
  },
});
