// Tables that can be sorted by their columns: a head becomes a button, and says how the table is sorted.

const cellValue = cell => {
  const value = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  const number = Number(value.replaceAll(",", "").replace(/(?: ?%| ULP)$/, ""));
  return value !== "" && !Number.isNaN(number) ? number : value;
};

function compare(a, b) {
  if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b, "en");
  return typeof a === "number" ? -1 : 1;  // numbers before words
}

/** Make the tables of a class sortable; each of a table's bodies is sorted by itself, band rows stay on top. */
function sortable(within) {
  for (const table of within.querySelectorAll("table.sortable")) {
    const heads = table.tHead?.rows.length === 1 ? [...table.tHead.rows[0].cells] : [];
    if (heads.some(head => head.colSpan !== 1)) continue;
    heads.forEach((head, column) => {
      if (head.querySelector("button")) return;
      const button = make("button", {type: "button", class: "sort"}, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        for (const body of table.tBodies) {
          const rows = [...body.rows].filter(row => row.cells.length === heads.length);
          rows.sort((a, b) => compare(cellValue(a.cells[column]), cellValue(b.cells[column])) * (down ? -1 : 1));
          body.append(...rows);
        }
        say(`Sorted by ${button.textContent}, ${down ? "descending" : "ascending"}`);
      });
    });
  }
}
