// Forms of people: passwords that can be looked at, secrets that can be copied, long lists that can be filtered, groups kept when searched again.

const form = document.querySelector("form[data-passwords]");
if (form) {
  const { show, hide } = form.dataset;
  for (const field of form.querySelectorAll("input[type=password]")) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn quiet small shows", textContent: show });
    button.setAttribute("aria-controls", field.id);
    button.addEventListener("click", () => {
      field.type = field.type === "password" ? "text" : "password";
      button.textContent = field.type === "password" ? show : hide;
    });
    field.closest(".field").classList.add("has-shows");
    field.after(button);
  }
}

const toast = (words, kind) => document.dispatchEvent(new CustomEvent("toast", { detail: { words, kind } }));

document.addEventListener("click", async (event) => {
  const copies = event.target.closest("[data-copies]");
  if (copies) {
    const field = document.getElementById(copies.dataset.copies);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      toast(copies.dataset.copied, "good");
    } catch {
      field.focus(); // without https there is no clipboard: the text is selected, Ctrl-C takes it
    }
  }
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-filters]")) return;
  const words = event.target.value.trim().toLowerCase();
  for (const label of event.target.closest("fieldset").querySelectorAll(".ticks > label")) {
    const shown = label.textContent.toLowerCase().includes(words) || label.querySelector("input").checked;
    label.hidden = !shown;
  }
});

// A group that is ticked moves up to those that are held, so that the next search does not take it away.
document.addEventListener("change", (event) => {
  const found = event.target.closest("#groups-found > label");
  if (!found || !event.target.checked) return;
  const held = found.closest("fieldset").querySelector("[data-held]");
  const twin = [...held.querySelectorAll("input")].find((box) => box.value === event.target.value);
  if (twin) {
    twin.checked = true;
    found.remove();
  } else held.append(found);
});

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  toast(document.querySelector("[data-key-failed]").dataset.keyFailed, "bad");
});
