// The catalogue, to look through by hand: facets with counts, a price range, an order, page after page.

import { card } from "./cards.js";
import { announce, byId, el } from "./dom.js";
import * as display from "./display.js";
import { state } from "./state.js";
import { post } from "./wire.js";

const PAGE = 18;
const SORTS = { relevance: "The best for you", price_asc: "Cheapest first", price_desc: "Dearest first", rating: "Best rated", newest: "Newest" };
const chosen = { values: new Map(), min: null, max: null, sort: "relevance", query: "" };
let turn = 0;
let cursor = null;

export function prepare() {
  byId("catalogue").addEventListener("click", () => (location.hash === "#catalogue" ? history.back() : (location.hash = "catalogue")));
  byId("more").addEventListener("click", more);
  addEventListener("hashchange", follow);
  document.addEventListener("pointerdown", (pressed) => {
    for (const node of byId("facets").querySelectorAll("details[open]")) if (!node.contains(pressed.target)) node.open = false;
  });
}

/** Whether the catalogue is what the address asks for. */
export const asked = () => location.hash === "#catalogue";

async function follow() {
  byId("catalogue").setAttribute("aria-pressed", String(asked()));
  if (asked()) await open();
  else await display.dress();
}

/** Show the catalogue in the window. */
export async function open() {
  byId("catalogue").setAttribute("aria-pressed", "true");
  state.spoken = false;
  byId("window").scrollTo({ top: 0 });
  await look();
}

/** The window shows something else now. */
export function leave() {
  if (asked()) history.replaceState(null, "", location.pathname);
  byId("catalogue").setAttribute("aria-pressed", "false");
}

function filters() {
  const of = (name) => [...(chosen.values.get(name) ?? [])];
  const attributes = [...chosen.values].filter(([name, values]) => values.size && name !== "category" && name !== "brand");
  return {
    available: true,
    category: of("category"),
    brand: of("brand"),
    attributes: Object.fromEntries(attributes.map(([name, values]) => [name, [...values]])),
    ...(chosen.min !== null || chosen.max !== null ? { price: { min: chosen.min, max: chosen.max } } : {}),
  };
}

function search() {
  return post("/v1/search", {
    ...(chosen.query ? { query: chosen.query } : {}), filters: filters(), sort: chosen.sort, top_n: PAGE, cursor,
    user_id: state.shopper, session_id: state.session,
  });
}

async function look() {
  const mine = (turn += 1);
  cursor = null;
  display.waiting();
  let found, counts;
  try {
    [found, counts] = await Promise.all([search(), post("/v1/facets", { filters: filters() })]);
  } catch (error) {
    if (mine !== turn) return;
    display.settled();
    byId("window-note").textContent = error.message;
    return;
  }
  if (mine !== turn || !asked()) return;
  state.request = found.request_id;
  const pieces = counts.total === 1 ? "One piece" : `${counts.total.toLocaleString()} pieces`;
  const note = found.nearest ? "Nothing fits all of that; these come nearest" : pieces;
  display.fill("The catalogue", chosen.query && !found.nearest ? `${pieces}, the closest to “${chosen.query}” first` : note, found.items);
  draw(counts);
  paged(found);
  announce(`${note}.`);
}

async function more() {
  const mine = turn;
  byId("more").disabled = true;
  const found = await search().catch(() => null);
  byId("more").disabled = false;
  if (!found || mine !== turn) return;
  state.request = found.request_id;
  const nodes = found.items.map((item) => card(item, display.actions));
  byId("cards").append(...nodes);
  paged(found);
  nodes[0]?.querySelector("button.title").focus();
}

function paged(found) {
  cursor = found.cursor;
  byId("more").hidden = !cursor || found.nearest;
}

function draw({ facets, price }) {
  const bar = byId("facets");
  const open = new Set([...bar.querySelectorAll("details[open]")].map((node) => node.dataset.facet));
  const within = bar.contains(document.activeElement) ? document.activeElement.id : null;
  const sort = el("select", { id: "sort", on: { change: () => change(() => (chosen.sort = sort.value)) } },
    Object.entries(SORTS).map(([value, text]) => el("option", { value, text, selected: value === chosen.sort })));
  const query = el("input", {
    id: "facet-query", type: "search", value: chosen.query, placeholder: "Search", maxlength: 200, "aria-label": "Search the catalogue",
    on: { change: () => change(() => (chosen.query = query.value.trim())) },
  });
  const anything = chosen.query || chosen.min !== null || chosen.max !== null || [...chosen.values.values()].some((values) => values.size);
  bar.replaceChildren(
    query,
    ...facets.map((facet) => folded(facet, open.has(facet.name))),
    ...(price ? [range(price, open.has("price"))] : []),
    el("label", { class: "sort" }, el("span", { text: "Order" }), sort),
    ...(anything ? [el("button", { type: "button", class: "quiet", id: "facets-clear", text: "Clear all", on: { click: () => change(clear) } })] : []),
  );
  bar.hidden = false;
  if (within) (byId(within) ?? query).focus();
}

function folded({ name, values }, open) {
  const mine = chosen.values.get(name) ?? new Set();
  const label = mine.size ? `${name} · ${mine.size}` : name;
  return fold(name, label, open, el("ul", {}, values.map(({ value, count }, n) => {
    const id = `facet-${name}-${n}`.replace(/[^\w-]/g, "_");
    const box = el("input", {
      type: "checkbox", id, checked: mine.has(value),
      on: { change: () => change(() => chosen.values.set(name, toggled(mine, value))) },
    });
    return el("li", {}, el("label", { for: id }, box, el("span", { class: "facet-value", text: value }), el("span", { class: "facet-count", text: count.toLocaleString() })));
  })));
}

function range({ min, max }, open) {
  const field = (name, end, placeholder) => {
    const input = el("input", {
      id: `price-${name}`, type: "number", min: 0, step: "any", value: chosen[name], placeholder: String(placeholder), inputmode: "decimal",
      on: { change: () => change(() => (chosen[name] = input.value === "" ? null : Math.max(0, Number(input.value)))) },
    });
    return el("label", {}, el("span", { text: end }), input);
  };
  const set = chosen.min !== null || chosen.max !== null;
  return fold("price", set ? "price · set" : "price", open,
    el("div", { class: "range" }, field("min", "From", Math.floor(min)), field("max", "to", Math.ceil(max))));
}

function fold(name, label, open, body) {
  const node = el("details", { class: "facet", "data-facet": name, open },
    el("summary", { id: `facet-of-${name}`.replace(/[^\w-]/g, "_"), text: label }), el("div", { class: "facet-body" }, body));
  node.addEventListener("toggle", () => {
    if (node.open) for (const other of byId("facets").querySelectorAll("details[open]")) if (other !== node) other.open = false;
  });
  node.addEventListener("keydown", (pressed) => {
    if (pressed.key !== "Escape" || !node.open) return;
    node.open = false;
    node.querySelector("summary").focus();
  });
  return node;
}

function toggled(values, value) {
  const out = new Set(values);
  if (!out.delete(value)) out.add(value);
  return out;
}

function clear() {
  Object.assign(chosen, { values: new Map(), min: null, max: null, query: "" });
}

function change(run) {
  run();
  if (chosen.min !== null && chosen.max !== null && chosen.min > chosen.max) [chosen.min, chosen.max] = [chosen.max, chosen.min];
  look();
}
