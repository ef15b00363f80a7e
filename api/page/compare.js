// Two or three items side by side.

import { picture } from "./cards.js";
import { announce, byId, el, icon, money, rating } from "./dom.js";
import { open } from "./sheet.js";
import { get, itemPath } from "./wire.js";

const MOST = 3;
const chosen = new Map();

/** Choose an item or let it go; `button` is the one that was pressed. */
export function toggle(item, button) {
  if (chosen.has(item.item_id)) {
    chosen.delete(item.item_id);
    button.setAttribute("aria-pressed", "false");
  } else if (chosen.size === MOST) {
    announce(`Up to ${MOST} can be compared.`);
    return;
  } else {
    chosen.set(item.item_id, { item, button });
    button.setAttribute("aria-pressed", "true");
  }
  draw();
}

/** Let everything go. */
export function clear() {
  for (const { button } of chosen.values()) button.setAttribute("aria-pressed", "false");
  chosen.clear();
  draw();
}

function draw() {
  const tray = byId("tray");
  tray.hidden = chosen.size === 0;
  if (tray.hidden) return;
  const text = chosen.size === 1 ? "Choose one more" : `Compare ${chosen.size}`;
  tray.replaceChildren(
    el("span", { class: "tray-pictures" }, [...chosen.values()].map(({ item }) => picture({ ...item, caption: null }, { sizes: "42px" }))),
    el("button", { type: "button", class: "primary", disabled: chosen.size < 2, text, on: { click: compare } }),
    el("button", { type: "button", class: "close", "aria-label": "Compare nothing", title: "Compare nothing", on: { click: clear } }, icon("close")),
  );
  announce(`${chosen.size} chosen to compare.`);
}

async function compare() {
  const items = [...chosen.values()].map(({ item }) => item);
  const records = await Promise.all(items.map((item) =>
    get(itemPath(item.item_id)).catch(() => item)));
  open("Side by side", table(records));
}

function table(records) {
  const names = [...new Set(records.flatMap((record) => Object.keys(record.attributes ?? {})))];
  const rows = [
    ["Price", (r) => money(r.price, r.currency)],
    ["Brand", (r) => r.brand],
    ["Category", (r) => r.categories?.join(", ")],
    ...names.map((name) => [name, (r) => r.attributes?.[name]?.join(", ")]),
    ["Rating", rating],
    ["In stock", (r) => (r.availability === null || r.availability === undefined ? null : r.availability ? "yes" : "no")],
    ["In its picture", (r) => r.caption],
  ].filter(([, read]) => records.some((record) => read(record)));
  const same = (read) => new Set(records.map((record) => read(record) || "")).size === 1;
  const head = el("tr", {}, el("td", { "aria-hidden": "true" }), records.map((record) =>
    el("th", { scope: "col" }, picture(record), el("span", { class: "compare-title", text: record.title }))));
  const body = rows.map(([name, read]) =>
    el("tr", { class: same(read) ? "same" : null },
      el("th", { scope: "row", text: name }), records.map((record) => el("td", { text: read(record) || "—" }))));
  return el("div", { class: "compare-scroll", tabindex: "0", role: "region", "aria-label": "Comparison table" },
    el("table", { class: "side-by-side" }, el("thead", {}, head), el("tbody", {}, body)));
}
