// Rows ticked in a list, counted, for actions on many rows at once.
// <div x-data="selection"> <input type="checkbox" x-on:change="toggleAll"> … <tr><td><input type="checkbox"
//   name="row" value="…" data-row-choice x-on:change="count">  <span x-text="chosen"></span> <button x-bind:disabled="none">
export default () => ({
  chosen: 0,

  get none() {
    return this.chosen === 0;
  },
  boxes() {
    return [...this.$root.querySelectorAll("[data-row-choice]")];
  },
  count() {
    this.chosen = this.boxes().filter((box) => box.checked).length;
  },
  toggleAll(event) {
    for (const box of this.boxes()) box.checked = event.target.checked;
    this.count();
  },
});
