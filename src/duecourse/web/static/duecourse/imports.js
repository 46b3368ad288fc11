// Files dropped on the page are handed in like files chosen; while they are on their way, how far they are. Everything works without it.

const form = document.querySelector("form[data-drop]");

if (form) {
  const zone = form.querySelector(".drop");
  const input = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress");
  const button = form.querySelector("button");
  button.hidden = true; // choosing is enough

  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
  input.addEventListener("change", () => input.files.length && form.requestSubmit());

  // A file dropped beside the place must not open in the browser and take the page away.
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => event.target.closest(".drop") || event.preventDefault());
  }

  form.addEventListener("htmx:beforeRequest", () => {
    bar.hidden = false;
  });
  form.addEventListener("htmx:xhr:progress", (event) => {
    const { lengthComputable, loaded, total } = event.detail;
    if (lengthComputable && total) bar.value = loaded / total;
  });
  form.addEventListener("htmx:afterRequest", () => {
    bar.hidden = true;
    bar.value = 0;
    input.value = "";
  });
}

// In the quarantine the corrected cells are marked, and their number stands on the button.
const mend = document.querySelector("form[data-mend]");

if (mend) {
  const count = () => {
    const lines = new Set();
    for (const field of mend.querySelectorAll("input[name^=cell-]")) {
      const changed = field.value !== field.defaultValue;
      field.classList.toggle("changed", changed);
      if (changed) lines.add(field.closest("[data-line]").dataset.line);
    }
    for (const field of mend.querySelectorAll("input[name^=again-]:checked")) lines.add(field.closest("[data-line]").dataset.line);
    const said = mend.querySelector("[data-count]");
    said.textContent = lines.size ? said.dataset.count.replace("0", lines.size) : said.dataset.none;
    for (const button of mend.querySelectorAll("[data-submit]")) button.disabled = !lines.size;
  };
  mend.addEventListener("input", count);
  count();
}
