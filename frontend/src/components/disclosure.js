// A part of the page that opens and closes: <div x-data="disclosure"> <button x-on:click="toggle"
//   x-bind:aria-expanded="expanded"> … <div x-show="open">
export default () => ({
  open: false,

  init() {
    this.open = "open" in this.$root.dataset;
  },
  get expanded() {
    return String(this.open);
  },
  toggle() {
    this.open = !this.open;
  },
  close() {
    this.open = false;
  },
});
