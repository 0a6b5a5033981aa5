// Several of many to tick: narrowed down by typing, counted, cleared at once. Without it all boxes are simply there.
// <div x-data="boxes" data-chosen="2"> <input type="search" x-on:input="narrow">
//   <details data-boxes-group><summary>…</summary> <label data-box><input type="checkbox" x-on:change="count"> …</label> </details>
//   <p data-boxes-none hidden>…</p> <span x-text="chosen"></span> <button type="button" x-on:click="clear">…</button> </div>
const plain = (text) => text.toLowerCase().replace(/\s+/g, "");

export default () => ({
  chosen: 0,

  init() {
    this.count();
    // a form that was only partly filled in keeps its boxes when the browser comes back to it
    addEventListener("pageshow", () => this.count());
  },
  get none() {
    return this.chosen === 0;
  },
  boxes() {
    return [...this.$root.querySelectorAll("[data-box] input")];
  },
  count() {
    this.chosen = this.boxes().filter((box) => box.checked).length;
  },
  clear() {
    for (const box of this.boxes()) box.checked = false;
    this.count();
    this.boxes()[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  },
  narrow(event) {
    const words = plain(event.target.value);
    const narrowed = (labels, also) => {
      let found = 0;
      for (const label of labels) {
        label.hidden = !also && !plain(label.textContent).includes(words);
        found += label.hidden ? 0 : 1;
      }
      return found;
    };
    let found = narrowed(this.$root.querySelectorAll(".boxes-list > [data-box]"), false);
    const groups = this.$root.querySelectorAll("[data-boxes-group]");
    for (const group of groups) {
      const named = plain(group.querySelector("summary").textContent).includes(words);
      const inside = narrowed(group.querySelectorAll("[data-box]"), named);
      group.hidden = inside === 0;
      // those folded away again are the ones nobody ticked; the only one is never folded
      const isWanted = words ? inside > 0 && !named : group.querySelector("input:checked") !== null;
      group.open = isWanted || groups.length === 1;
      found += inside;
    }
    this.$root.querySelector("[data-boxes-none]").hidden = found > 0;
  },
});
