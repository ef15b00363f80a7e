// What the shopper likes, saves and hides: told to the service at once, and taken back as easily.

import { el } from "./dom.js";
import { event, state } from "./state.js";
import { erase, put } from "./wire.js";

export const KINDS = { praise: "liked", cart: "saved", dismiss: "hidden" };

let marks = new Map(); // "kind item_id" -> {kind, event_id, item}
const watchers = [];

const keyOf = (kind, item) => `${kind} ${item.item_id}`;
const place = () => (state.shopper ? `vitrine-marks-${state.shopper}` : null);

/** Whether an item is marked so. */
export const marked = (kind, item) => marks.has(keyOf(kind, item));

/** Every item marked so, the latest first. */
export const all = (kind) => [...marks.values()].filter((mark) => mark.kind === kind).map((mark) => mark.item).reverse();

/** Call `run` whenever a mark comes or goes. */
export const watch = (run) => watchers.push(run);

addEventListener("storage", (changed) => {
  if (place() && changed.key === place()) open(); // another tab of the same shopper marked something
});

/** Read the marks of who looks now; a guest's last as long as the page. */
export function open() {
  marks = new Map();
  try {
    if (place()) marks = new Map(JSON.parse(localStorage.getItem(place()) ?? "[]"));
  } catch {
    // Forbidden or spoilt: the service knows the events all the same.
  }
  changed();
}

/** Mark an item. It is told to the service first: what is shown as kept is kept. */
export async function mark(kind, item) {
  const told = event(kind, item);
  const { rejected } = await put("/v1/events", { events: [told] });
  if (rejected.length) throw new Error(rejected[0].detail);
  const { item_id, title, price, currency, brand, image, caption } = item;
  marks.set(keyOf(kind, item), { kind, event_id: told.event_id, item: { item_id, title, price, currency, brand, image, caption } });
  keep();
}

/** Take a mark back, as if it had not been. */
export async function unmark(kind, item) {
  const found = marks.get(keyOf(kind, item));
  if (!found) return;
  await erase(`/v1/events/${encodeURIComponent(found.event_id)}`);
  marks.delete(keyOf(kind, item));
  keep();
}

/** Forget every mark here; the service was asked to forget the shopper. */
export function clear() {
  marks = new Map();
  keep();
}

function keep() {
  try {
    if (place()) localStorage.setItem(place(), JSON.stringify([...marks]));
  } catch {
    // See above.
  }
  changed();
}

function changed() {
  for (const run of watchers) run();
  for (const node of document.querySelectorAll("[data-mark]")) {
    node.setAttribute("aria-pressed", String(marks.has(`${node.dataset.mark} ${node.dataset.of}`)));
  }
}

/** A button that shows and turns a mark. */
export function markButton(kind, item, label, sign, run) {
  return el("button", {
    type: "button", class: `mark ${kind}`, "aria-label": `${label}: ${item.title}`, title: label,
    "aria-pressed": String(marked(kind, item)), "data-mark": kind, "data-of": item.item_id, on: { click: run },
  }, sign);
}
