// Elements from data. Text always enters as text: nothing the shop or a model wrote is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  send: "M5 12h13M12.5 6l6 6-6 6",
  stop: "M8 8h8v8H8z",
  close: "M6 6l12 12M18 6L6 18",
  more: "M12 4l1.9 6.1L20 12l-6.1 1.9L12 20l-1.9-6.1L4 12l6.1-1.9z",
  no: "M5.5 5.5l13 13M12 3a9 9 0 100 18 9 9 0 000-18z",
  compare: "M4 6h6v12H4zM14 6h6v12h-6z",
  like: "M12 19.5S4 14.8 4 9.2A4.2 4.2 0 0112 7.3a4.2 4.2 0 018 1.9c0 5.6-8 10.3-8 10.3z",
  save: "M7 4h10v16l-5-3.8L7 20z",
  picture: "M4 6h16v12H4zM4 15l4.5-4 4 3.5 3-2.5 4.5 4M15.5 9.5h.01",
  microphone: "M12 4a2.5 2.5 0 00-2.5 2.5v5a2.5 2.5 0 005 0v-5A2.5 2.5 0 0012 4zM6.5 11.5a5.5 5.5 0 0011 0M12 17v3",
  theme: "M12 4a8 8 0 100 16zM12 4a8 8 0 010 16",
  catalogue: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  memory: "M5 5h14v11h-6l-4 3.5V16H5z",
};

/** Make an element: `props` are attributes, `on` listeners, `text` its text; null children are left out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A button that says `text` and does `run`. */
export function button(name, text, run, more = {}) {
  return el("button", { type: "button", class: name, text, ...more, on: { click: run } });
}

/** Make one of the page's line icons; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A bar of `share` (0 to 1); what it says stands in words beside it. */
export function bar(share) {
  const fill = el("span", { class: "bar-fill" });
  fill.style.inlineSize = `${Math.round(Math.min(Math.max(share, 0), 1) * 1000) / 10}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, fill);
}

/** Go to the wish, but not under a finger: there it would open a keyboard over what is to be seen. */
export function toWish() {
  if (!matchMedia("(pointer: coarse)").matches) byId("wish").focus();
}

export const byId = (id) => document.getElementById(id);

/** Tell a screen reader, without showing anything. */
export function announce(text) {
  byId("said").textContent = text;
}

/** A price as the reader's own language writes it, or null. */
export function money(price, currency) {
  if (price === null || price === undefined) return null;
  if (!currency) return price.toFixed(2);
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(price);
  } catch {
    return `${price.toFixed(2)} ${currency}`;
  }
}

/** A rating with as many digits as reasons give it, or null: "3.67 of 5, by 3 shoppers". */
export function rating({ rating: stars, rating_count: count }) {
  if (!stars) return null;
  const by = count ? `, by ${count.toLocaleString()} ${count === 1 ? "shopper" : "shoppers"}` : "";
  return `${Number(stars.toFixed(2))} of 5${by}`;
}

/** A date as the reader's own language writes it. */
export function day(when) {
  return new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" }).format(new Date(when));
}
