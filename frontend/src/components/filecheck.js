// Compares a file with a digest on this device: <div x-data="filecheck" data-digest="…">
//   <input type="file" x-on:change="choose"> <p x-show="same">… <p x-show="other">… <p x-show="unable">…
export default () => ({
  same: false,
  other: false,
  unable: false,

  choose(event) {
    this.compare(event.target.files[0]);
  },
  drop(event) {
    // The browser fills the field itself; "change" follows.
    this.same = this.other = this.unable = false;
  },
  async compare(file) {
    this.same = this.other = this.unable = false;
    if (!file) return;
    if (!globalThis.crypto?.subtle) {
      // Digests are only to be had on secure pages.
      this.unable = true;
      return;
    }
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    const text = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.same = text === this.$root.dataset.digest;
    this.other = !this.same;
  },
});
