// Tables people can live in: arrows walk the rows, Home and End the whole list, "/" goes to the search box.
const rowLink = (row) => row?.querySelector("a[href], button:not([disabled]), input:not([disabled])");

const typing = (element) =>
  element.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "/" && !typing(event.target)) {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select?.();
    }
    return;
  }
  const row = event.target.closest?.("table[data-rows] > tbody > tr");
  if (!row || typing(event.target)) return;
  const rows = [...row.parentElement.rows].filter((each) => rowLink(each));
  const here = rows.indexOf(row);
  const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next === undefined || !rows[next]) return;
  event.preventDefault();
  rowLink(rows[next]).focus();
  rows[next].scrollIntoView({ block: "nearest" });
});
