// Elements from data. Text always enters as text: nothing the shop or a model wrote is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  send: "M5 12h13M12.5 6l6 6-6 6",
  stop: "M8 8h8v8H8z",
  close: "M6 6l12 12M18 6L6 18",
  like: "M12 4l1.9 6.1L20 12l-6.1 1.9L12 20l-1.9-6.1L4 12l6.1-1.9z",
  no: "M5.5 5.5l13 13M12 3a9 9 0 100 18 9 9 0 000-18z",
  compare: "M4 6h6v12H4zM14 6h6v12h-6z",
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
