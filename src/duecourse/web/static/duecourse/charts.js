// Charts: drawn when they come into view, by Vega out of a file that is fetched only then. Colours are custom properties of the page, so that
// theme and print need no second drawing.

const bundle = document.querySelector("script[data-bundle]").dataset.bundle;
let loading = null;

function load() {
  loading ??= import(bundle).then(() => window.vegaEmbed);
  return loading;
}

// Our own tooltip: Vega's would add a style element, which the content security policy refuses.
let tip = null;

function tooltip(_handler, event, _item, value) {
  if (value === null || value === undefined || value === "") {
    tip?.remove();
    tip = null;
    return;
  }
  tip ??= document.body.appendChild(Object.assign(document.createElement("div"), { className: "chart-tip" }));
  const list = document.createElement("dl");
  for (const [name, words] of Object.entries(typeof value === "object" ? value : { "": value })) {
    const term = document.createElement("dt");
    const told = document.createElement("dd");
    term.textContent = name;
    told.textContent = words;
    list.append(term, told);
  }
  tip.replaceChildren(list);
  const box = tip.getBoundingClientRect();
  const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 14 : event.clientX + 14;
  const y = event.clientY + 14 + box.height > innerHeight ? event.clientY - box.height - 14 : event.clientY + 14;
  tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
}

async function draw(figure) {
  const canvas = figure.querySelector(".canvas");
  if (figure.dataset.drawn) return;
  figure.dataset.drawn = "yes";
  try {
    const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const embed = await load();
    const place = document.createElement("div");
    place.className = "plot";
    canvas.append(place);
    await embed(place, spec, { ast: true, defaultStyle: false, renderer: "svg", actions: false, tooltip });
    // The whole is one picture with a description, and its figures stand in the table: its hundreds of parts are not read out.
    place.querySelector("svg")?.setAttribute("aria-hidden", "true");
  } catch (error) {
    console.warn(error);
    canvas.textContent = figure.dataset.failed;
    figure.querySelector("details")?.setAttribute("open", "");
  }
}

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "200px" },
);

function watch(part) {
  for (const figure of part.querySelectorAll("[data-chart]:not([data-drawn])")) near.observe(figure);
}

watch(document);
document.addEventListener("htmx:load", (event) => watch(event.target));
// What was never scrolled to is drawn when the page is idle, so that it can be printed whole.
addEventListener("load", () => {
  const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 3000));
  idle(() => document.querySelectorAll("[data-chart]:not([data-drawn])").forEach(draw), { timeout: 8000 });
});
