"use strict";
// Columns that sort: each title becomes a button. Without script the table is a plain one.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const words = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  const compare = (column, numbers) => (one, two) => {
    const [first, second] = [value(one, column), value(two, column)];
    return numbers ? Number(first) - Number(second) : words.compare(first, second);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      const order = compare(column, "numbers" in head.dataset);
      const rows = [...body.rows].sort((one, two) => (up ? order(one, two) : order(two, one)));
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...rows);
    });
  });
}
