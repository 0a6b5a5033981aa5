// Which columns a list shows. The choice travels in the URL, so that a link and an export show the same.
// <fieldset x-data="columns"> <input type="hidden" name="columns" x-ref="field">
//   <label><input type="checkbox" value="name" checked data-column-choice x-on:change="choose">…</label>
//   <button type="button" x-on:click="all">…</button> <button type="button" x-on:click="reset">…</button>
// The surrounding form reacts to the field's change event (hx-trigger="change").
export default () => ({
  choices() {
    return [...this.$root.querySelectorAll("[data-column-choice]")];
  },
  choose(event) {
    // The boxes themselves are not sent, only the list made of them.
    event.stopPropagation();
    this.publish();
  },
  all() {
    for (const box of this.choices()) box.checked = true;
    this.publish();
  },
  reset() {
    for (const box of this.choices()) box.checked = "columnDefault" in box.dataset;
    this.publish();
  },
  publish() {
    const chosen = this.choices().filter((box) => box.checked);
    // A list without columns would look broken: the first stays.
    if (!chosen.length && this.choices().length) {
      this.choices()[0].checked = true;
      chosen.push(this.choices()[0]);
    }
    this.$refs.field.value = chosen.map((box) => box.value).join(",");
    this.$refs.field.dispatchEvent(new Event("change", { bubbles: true }));
  },
});
