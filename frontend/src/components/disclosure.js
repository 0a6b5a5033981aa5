// A part of the page that opens and closes: <div x-data="disclosure"> <button x-on:click="toggle"
//   x-bind:aria-expanded="expanded"> … <div x-show="open">
export default () => ({
  open: false,

  init() {
    // on a phone what it leads to comes first: who follows a number to its rows wants the rows
    this.open = "open" in this.$root.dataset && !matchMedia("(max-width: 767.98px)").matches;
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
