// The lists: filters that answer at once, chips that take one off, menus that fetch their values when opened. Without it the form still works.

const form = document.getElementById("filters");
const list = document.getElementById("list");

// The search field asks by itself as one types; its later "change" would ask a second time.
document.addEventListener("change", (event) => {
  if (event.target.matches("#filters input[type=search]")) event.stopPropagation();
}, true);

// Enter means "now": leaving the field asks; a form that is sent as well would ask twice.
form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("input:not([type=checkbox])")) return;
  event.preventDefault();
  if (event.target.type !== "search") event.target.blur();
});

function tally(menu) {
  const place = menu.querySelector("[data-tally]");
  if (!place) return;
  const fields = [...menu.querySelectorAll("input[name], select[name]")];
  const count = fields.filter((field) => (field.type === "checkbox" ? field.checked : field.value.trim())).length;
  place.textContent = count || "";
}

form?.addEventListener("change", (event) => {
  const menu = event.target.closest("[data-counted]");
  if (menu) tally(menu);
});

// `toggle` does not say which way, and does not rise: an event of our own asks for the values.
for (const menu of form?.querySelectorAll("details[hx-get]") ?? []) {
  menu.addEventListener("toggle", () => {
    if (menu.open) menu.dispatchEvent(new CustomEvent("opened"));
  });
}

// A field above a long list of values shows those that hold what is written; it is no part of the form.
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-narrows]")) return;
  const words = event.target.value.trim().toLocaleLowerCase();
  for (const line of event.target.parentElement.querySelectorAll("label")) line.hidden = !line.textContent.toLocaleLowerCase().includes(words);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-narrows]")) event.stopPropagation();
}, true);

// A chip takes its own value out of the form, so that form and list stay one.
document.addEventListener("click", (event) => {
  const chip = event.target.closest("a[data-clears]");
  if (!chip || !form || event.ctrlKey || event.metaKey) return;
  const fields = [...form.elements].filter((field) => field.name === chip.dataset.clears);
  const field = fields.find((one) => one.type !== "checkbox" || one.value === chip.dataset.value);
  if (!field) return; // a filter only the address knows: follow the link
  event.preventDefault();
  if (field.type === "checkbox") field.checked = false;
  else field.value = "";
  const menu = field.closest("[data-counted]");
  if (menu) tally(menu);
  form.requestSubmit();
});

// The frame's links to other days, and what a changed language returns to, follow the list's address.
function follow() {
  const here = new URLSearchParams(location.search);
  for (const link of document.querySelectorAll(".top a.item[href*='?'], .top a.item[href^='/'], .past-line a")) {
    const address = new URL(link.href);
    if (address.pathname !== location.pathname) continue;
    const words = new URLSearchParams(here);
    for (const name of ["as_of", "known_at", "page"]) words.delete(name);
    const day = address.searchParams.get("as_of");
    if (day) words.set("as_of", day);
    link.href = `${address.pathname}${words.size ? `?${words}` : ""}`;
  }
  const picker = document.getElementById("as-of")?.closest("form");
  if (picker) {
    for (const old of picker.querySelectorAll("input[type=hidden]")) old.remove();
    for (const [name, value] of here) {
      if (["as_of", "known_at", "page"].includes(name)) continue;
      const made = document.createElement("input");
      Object.assign(made, { type: "hidden", name, value });
      picker.append(made);
    }
  }
  for (const field of document.querySelectorAll("form input[name=next]")) field.value = location.pathname + location.search;
}
document.addEventListener("htmx:pushedIntoHistory", follow);

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target === list) list.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target === list) list.setAttribute("aria-busy", "false");
});

// Another page begins at its top.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === list && event.detail.requestConfig?.elt?.closest?.(".pager")) list.scrollIntoView({ block: "start" });
});

// An invoice opens to its settlements.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-unfolds]");
  if (!button) return;
  const more = document.getElementById(button.dataset.unfolds);
  more.hidden = !more.hidden;
  button.setAttribute("aria-expanded", String(!more.hidden));
});

// Where a fact comes from opens beside the page.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "drawer-body") document.getElementById("drawer").showModal();
});
