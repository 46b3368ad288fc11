// Rows one can walk through and open: a table with data-rows, whose rows have data-href (or hold a link marked data-open).
// j, k and the arrows move, Enter opens, a click anywhere on the row opens it too.

const ROWS = "[data-rows] tbody tr:not([hidden])";

function addressOf(row) {
  return row.dataset.href ?? row.querySelector("a[data-open], th a, td a")?.href;
}

function open(row, apart) {
  const address = addressOf(row);
  if (!address) return;
  if (apart) window.open(address, "_blank", "noopener");
  else location.assign(address);
}

function move(step) {
  const rows = [...document.querySelectorAll(ROWS)].filter((row) => row.offsetParent !== null);
  if (!rows.length) return false;
  const at = rows.indexOf(document.activeElement?.closest?.("tr"));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const target = event.target;
  if (target.isContentEditable || target.matches("input, select, textarea")) return;
  const row = target.closest?.(ROWS);
  if (event.key === "j" || (event.key === "ArrowDown" && row)) {
    if (move(1)) event.preventDefault();
  } else if (event.key === "k" || (event.key === "ArrowUp" && row)) {
    if (move(-1)) event.preventDefault();
  } else if (event.key === "Enter" && row && target === row) {
    open(row, false);
  }
});

document.addEventListener("click", (event) => {
  const row = event.target.closest(`${ROWS}[data-href]`);
  if (!row || event.target.closest("a, button, input, label, select, summary") || getSelection()?.toString()) return;
  open(row, event.ctrlKey || event.metaKey);
});
