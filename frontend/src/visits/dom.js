// Small tools of the screens: elements, icons, words, what is said at the bottom edge.
const root = () => document.getElementById("phone");
const catalogues = JSON.parse(document.getElementById("words").textContent);

export const language = () => (/(?:^|; )language=en/.test(document.cookie) ? "en" : "zh-hans");

/** A text of the catalogue; {name} is filled in, and a {count} of one takes the singular where there is one. */
export const t = (key, values = {}) => {
  const words = catalogues[language()];
  const text = (values.count === 1 && words[`${key}_one`]) || (words[key] ?? key);
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
};

/** An element. Words beginning with `on` are listeners; children are elements, texts, or nothing. */
export const h = (tag, words = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(words)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !["list", "form", "type"].includes(name) && typeof value !== "string") element[name] = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((each) => each !== null && each !== undefined && each !== false));
  return element;
};

export const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${root().dataset.icons}#${name}`);
  svg.append(use);
  return svg;
};

/** A big button. */
export const button = (text, onclick, { look = "", mark = "", ...words } = {}) =>
  h("button", { type: "button", class: `btn btn-lg ${look}`, onclick, ...words }, mark && icon(mark), h("span", {}, text));

export const field = (label, input, note = "") => {
  input.id ||= `f${Math.random().toString(36).slice(2)}`;
  return h("div", { class: "mb-3" }, h("label", { class: "form-label", for: input.id }, label), input, note && h("div", { class: "form-hint" }, note));
};

export const state = (text, tone = "") => h("span", { class: `state ${tone && `state-${tone}`}` }, text);

let quiet;
/** Said at the bottom edge for some seconds; what went wrong stays until it is tapped. */
export const say = (text, tone = "success") => {
  document.getElementById("said")?.remove();
  clearTimeout(quiet);
  const said = h("div", { id: "said", class: `phone-said alert alert-${tone}`, role: tone === "danger" ? "alert" : "status" }, text);
  said.addEventListener("click", () => said.remove());
  document.body.append(said);
  if (tone !== "danger") quiet = setTimeout(() => said.remove(), 4000);
};

/** A question that must be answered: the value of the button that was tapped. */
export const ask = (text, choices) =>
  new Promise((resolve) => {
    const dialog = h("dialog", { class: "phone-ask" }, h("p", {}, text));
    for (const [value, label, look] of choices) {
      dialog.append(button(label, () => { dialog.close(); resolve(value); }, { look: `w-100 mb-2 ${look ?? ""}` }));
    }
    dialog.addEventListener("close", () => { dialog.remove(); resolve(null); });
    document.body.append(dialog);
    dialog.showModal();
  });

export const show = (title, back, ...content) => {
  const main = h("main", { class: "phone-main", tabindex: "-1" }, ...content);
  const here = root();
  const bar = h(
    "header",
    { class: "phone-bar" },
    back ? h("a", { class: "btn btn-icon btn-ghost-light", href: back, "aria-label": t("back") }, icon("arrow-left")) : null,
    h("h1", {}, title),
    here.badge ? here.badge() : null,
  );
  here.replaceChildren(bar, main);
  document.title = `${title} · ${t("title")}`;
  return main;
};

/** The present screen anew, in its turn. */
export const redraw = () => root().draw();

export const moment = (text) => (text ? new Date(text).toLocaleString("sv", { timeZone: "Asia/Shanghai" }).slice(0, 16) : "");
export const today = () => new Date().toLocaleDateString("sv", { timeZone: "Asia/Shanghai" });
export const kilobytes = (size) => (size > 1e6 ? `${(size / 1e6).toFixed(1)} MB` : `${Math.ceil(size / 1000)} kB`);
