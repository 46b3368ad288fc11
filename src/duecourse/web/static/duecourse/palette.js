// The command palette: pages at once, buyers from the server while one writes.

const dialog = document.getElementById("palette");
if (dialog) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const places = JSON.parse(document.getElementById("palette-places").textContent);
  const sprite = document.querySelector("svg.icon use")?.getAttribute("href").split("#")[0];
  const WAIT_MS = 140;
  let timer = 0;
  let asked = null;
  let chosen = 0;

  const fold = (text) => text.normalize("NFKC").toLocaleLowerCase();

  function iconOf(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${sprite}#${name}`);
    svg.append(use);
    return svg;
  }

  function line(entry, number) {
    const option = document.createElement("div");
    option.setAttribute("role", "option");
    option.id = `palette-${number}`;
    option.dataset.url = entry.url;
    const name = document.createElement("span");
    name.textContent = entry.label;
    option.append(iconOf(entry.icon), name);
    if (entry.end) {
      const end = document.createElement("span");
      end.className = "end";
      end.textContent = entry.end;
      option.append(end);
    }
    return option;
  }

  function choose(number) {
    const options = [...list.querySelectorAll("[role=option]")];
    if (!options.length) return input.removeAttribute("aria-activedescendant");
    chosen = (number + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[chosen].id);
  }

  function show(entries, note) {
    list.replaceChildren(...entries.map(line));
    if (note) {
      const said = document.createElement("p");
      said.className = "faint small";
      said.textContent = note;
      list.append(said);
    }
    choose(0);
  }

  function matching(words) {
    return places.filter((place) => !words || fold(place.label).includes(fold(words))).map((place) => ({ ...place, end: place.group }));
  }

  async function find(words) {
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams(location.search);
    const kept = new URLSearchParams({ q: words });
    for (const name of ["as_of", "known_at"]) if (query.get(name)) kept.set(name, query.get(name));
    try {
      const answer = await fetch(`${dialog.dataset.find}?${kept}`, { signal: asked.signal, headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const entries = (await answer.json()).map((buyer) => ({
        label: buyer.name, url: buyer.url, icon: "buyers",
        end: buyer.overdue ? `${buyer.id} · ${dialog.dataset.buyers} ${buyer.overdue}` : buyer.id,
      }));
      const found = [...matching(words), ...entries];
      show(found, found.length ? "" : dialog.dataset.nothing);
    } catch (error) {
      if (error.name !== "AbortError") show(matching(words), dialog.dataset.failed);
    }
  }

  function wrote() {
    const words = input.value.trim();
    clearTimeout(timer);
    asked?.abort();
    const found = matching(words);
    const asks = words && dialog.dataset.find;
    show(found, asks ? dialog.dataset.searching : found.length ? "" : dialog.dataset.nothing);
    if (asks) timer = setTimeout(() => find(words), WAIT_MS);
  }

  function open() {
    if (dialog.open) return;
    input.value = "";
    wrote();
    dialog.showModal();
    input.focus();
  }

  input.addEventListener("input", wrote);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // an input method is choosing characters
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter") list.querySelector("[aria-selected=true]")?.click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    if (event.ctrlKey || event.metaKey) window.open(option.dataset.url, "_blank", "noopener");
    else location.assign(option.dataset.url);
  });
  document.addEventListener("duecourse:palette", open);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
}
