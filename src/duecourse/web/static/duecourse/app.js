// The frame: menus, dialogs, toasts, keys, and what happens when a swap fails. Everything works without it, only less comfortably.

const root = document.documentElement;

// Menus are details/summary; a click elsewhere, another menu or Escape closes them.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-opens], [data-closes], [data-print], [data-palette]");
  closeMenus(event.target.closest("details[data-menu]"));
  if (!target) return;
  if (target.dataset.opens) {
    closeMenus();
    document.getElementById(target.dataset.opens)?.showModal();
  } else if ("closes" in target.dataset) {
    (target.closest("dialog") ?? { close: () => target.closest(".toast")?.remove() }).close();
  } else if ("print" in target.dataset) {
    closeMenus();
    print();
  } else {
    document.dispatchEvent(new CustomEvent("duecourse:palette"));
  }
});

// A click on the ground beside a dialog closes it.
document.addEventListener("mousedown", (event) => {
  if (event.target instanceof HTMLDialogElement && event.target.open) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
});

// Toasts: document.dispatchEvent(new CustomEvent("toast", {detail: {words, kind}})), or the header HX-Trigger: {"toast": {…}} from the server.
const SHOWN_MS = 9000;

function toast(words, kind = "") {
  const place = document.getElementById("toasts");
  const made = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  if (kind) made.classList.add(kind);
  made.firstElementChild.textContent = words;
  for (const old of place.querySelectorAll(".toast")) if (old.firstElementChild.textContent === words) old.remove();
  place.append(made);
  if (kind !== "bad") setTimeout(() => made.remove(), SHOWN_MS);
}

document.addEventListener("toast", (event) => toast(event.detail.words ?? event.detail.value, event.detail.kind));

// Swaps: a line while one is on its way; when one fails, what to do.
let underWay = 0;

function busy(step) {
  underWay = Math.max(0, underWay + step);
  root.classList.toggle("is-busy", underWay > 0);
}

const said = () => document.getElementById("toasts").dataset;

function toLogin() {
  toast(said().signedOut, "warn");
  location.assign(`${document.body.dataset.login}?next=${encodeURIComponent(location.pathname + location.search)}`);
}

document.addEventListener("htmx:beforeRequest", () => busy(1));
document.addEventListener("htmx:afterRequest", () => busy(-1));
document.addEventListener("htmx:sendError", () => toast(said().offline, "bad"));
document.addEventListener("htmx:timeout", () => toast(said().slow, "bad"));
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  if (xhr.status === 401) toLogin();
  else if (xhr.status === 403) toast(said().refused, "bad");
  else if (xhr.status === 404 || xhr.status === 410) toast(said().gone, "warn");
  else if (xhr.status === 429) toast(said().busy, "warn");
  else toast(said().failed, "bad");
});

// A session that ended answers with the sign-in page: it must not land inside a table.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.responseURL && new URL(xhr.responseURL).pathname.startsWith(document.body.dataset.login)) {
    event.preventDefault();
    toLogin();
  } else if (xhr.status === 422) {
    event.detail.shouldSwap = true; // a form that came back with its errors
    event.detail.isError = false;
  }
});

// Keys. `g` waits for a second letter; nothing fires while somebody is writing.
const GO = { d: "dashboard", b: "buyers", i: "invoices", g: "groups", m: "imports", f: "findings", h: "help" };
let waiting = 0;

function isWriting(element) {
  return element.isContentEditable || (element.matches("input, select, textarea") && !element.matches("[type=checkbox], [type=radio]"));
}

function go(name) {
  const places = JSON.parse(document.getElementById("palette-places")?.textContent ?? "[]");
  const found = places.find((place) => place.name === name);
  if (found) location.assign(found.url);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus();
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || document.querySelector("dialog[open]")) return;
  if (waiting && Date.now() - waiting < 1200 && GO[event.key]) {
    waiting = 0;
    event.preventDefault();
    go(GO[event.key]);
    return;
  }
  waiting = event.key === "g" ? Date.now() : 0;
  if (event.key === "/") {
    const field = document.querySelector("main input[type=search], main [data-search]");
    event.preventDefault();
    if (field) field.select();
    else document.dispatchEvent(new CustomEvent("duecourse:palette"));
  } else if (event.key === "?") {
    event.preventDefault();
    document.getElementById("keys")?.showModal();
  } else if (event.key === "t") {
    const picker = document.getElementById("as-of")?.closest("details");
    if (picker) {
      event.preventDefault();
      picker.open = true;
      picker.querySelector("a, input")?.focus();
    }
  }
});
