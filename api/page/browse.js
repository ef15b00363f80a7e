// The catalogue, to look through by hand: facets with counts, a price range, an order, page after page.

import { card } from "./cards.js";
import { announce, button, byId, el } from "./dom.js";
import * as display from "./display.js";
import { state } from "./state.js";
import { toast } from "./toast.js";
import { post } from "./wire.js";

const PAGE = 18;
const MARGIN = 16; // pixels a menu keeps from the edge
const SORTS = { relevance: "The best for you", price_asc: "Cheapest first", price_desc: "Dearest first", rating: "Best rated", newest: "Newest" };
const chosen = { values: new Map(), min: null, max: null, sort: "relevance", query: "" };
let turn = 0;
let cursor = null;

export function prepare() {
  byId("more").addEventListener("click", more);
  document.addEventListener("pointerdown", (pressed) => {
    for (const node of byId("facets").querySelectorAll("details[open]")) if (!node.contains(pressed.target)) node.open = false;
  });
}

/** Whether the catalogue is what the address asks for. */
export const asked = () => /^#catalogue(\?|$)/.test(location.hash);

/** The address of the catalogue with what is chosen in it. */
export function address() {
  const said = new URLSearchParams();
  for (const [name, values] of chosen.values) for (const value of values) said.append(`f.${name}`, value);
  for (const name of ["query", "min", "max"]) if (chosen[name] !== null && chosen[name] !== "") said.set(name, chosen[name]);
  if (chosen.sort !== "relevance") said.set("sort", chosen.sort);
  return said.size ? `#catalogue?${said}` : "#catalogue";
}

/** Choose what the address says; what it says of nothing known is left out. */
function read() {
  const said = new URLSearchParams(location.hash.split("?").slice(1).join("?"));
  const price = (name) => (said.get(name) > 0 ? Number(said.get(name)) : null);
  Object.assign(chosen, { values: new Map(), query: said.get("query") ?? "", min: price("min"), max: price("max"), sort: SORTS[said.get("sort")] ? said.get("sort") : "relevance" });
  for (const [name, value] of said) {
    if (name.startsWith("f.")) chosen.values.set(name.slice(2), new Set([...(chosen.values.get(name.slice(2)) ?? []), value]));
  }
}

/** Show the catalogue in the window, as the address has it. */
export async function open() {
  read();
  state.spoken = false;
  display.top();
  await look();
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
    if (mine !== turn || !asked()) return;
    display.trouble(error, look, "The catalogue");
    if (anything()) byId("facets").replaceChildren(unchoose());
    byId("facets").hidden = !anything();
    return;
  }
  if (mine !== turn || !asked()) return;
  state.request = found.request_id;
  const pieces = counts.total === 1 ? "One piece" : `${counts.total.toLocaleString()} pieces`;
  const note = !counts.total && !anything() ? "Nothing is on offer just now" : found.nearest ? "Nothing fits all of that; these come nearest" : pieces;
  display.fill("The catalogue", chosen.query && !found.nearest ? `${pieces}, the closest to “${chosen.query}” first` : note, found.items);
  draw(counts);
  paged(found);
  announce(`${note}.`);
}

async function more() {
  const mine = turn;
  byId("more").disabled = true;
  const found = await search().catch((error) => toast(error.message));
  byId("more").disabled = false;
  if (!found || mine !== turn || !asked()) return;
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
  bar.replaceChildren(
    query,
    ...facets.map((facet) => folded(facet, open.has(facet.name))),
    ...(price ? [range(price, open.has("price"))] : []),
    el("label", { class: "sort" }, el("span", { text: "Order" }), sort),
    ...(anything() ? [unchoose()] : []),
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
    if (!node.open) return;
    for (const other of byId("facets").querySelectorAll("details[open]")) if (other !== node) other.open = false;
    const menu = node.querySelector(".facet-body");
    const over = menu.getBoundingClientRect().right + MARGIN - document.documentElement.clientWidth;
    if (over > 0) menu.style.left = `${-over}px`;
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

const anything = () => chosen.query || chosen.min !== null || chosen.max !== null || [...chosen.values.values()].some((values) => values.size);

const unchoose = () => button("quiet", "Clear all", () => change(clear), { id: "facets-clear" });

function clear() {
  Object.assign(chosen, { values: new Map(), min: null, max: null, query: "" });
}

function change(run) {
  run();
  if (chosen.min !== null && chosen.max !== null && chosen.min > chosen.max) [chosen.min, chosen.max] = [chosen.max, chosen.min];
  history.replaceState(null, "", address());
  look();
}
