// Wishes one press away: how to go on from the answer in the window, in the words of what it holds.

import { button, byId, el } from "./dom.js";
import { post } from "./wire.js";

const MOST = 3;
let say = () => {};

export const prepare = (run) => {
  say = run;
};

/** Offer wishes. */
export function offer(wishes) {
  byId("chips").replaceChildren(...wishes.map((wish) => button("chip", wish, () => say(wish))));
}

/** Offer what narrows, widens or turns an answer. */
export async function refine({ recommendations: items = [], outcome, blocking }) {
  const still = el("span"); // stands for this answer: another one may come before the values do
  if (!items.length) {
    offer(outcome === "question" || outcome === "answered" ? [] : without(blocking));
    return;
  }
  const usual = [...without(blocking), ...(items.length > 1 ? ["Cheaper ones"] : []), "Show me more"];
  offer(usual);
  if (items.length < 3) return;
  byId("chips").append(still);
  still.hidden = true;
  const found = await post("/v1/facets", { item_ids: items.map((item) => item.item_id) }).catch(() => null);
  if (!found || !still.isConnected) return;
  const telling = found.facets.flatMap(({ name, values }) => telltale(name, values, items.length)).slice(0, MOST);
  still.replaceWith(...telling.map((wish) => button("chip", wish, () => say(wish))));
}

/** The value of a facet that parts the items best: near half of them have it. */
function telltale(name, values, total) {
  const parting = values.filter(({ count }) => count > 0 && count < total);
  if (!parting.length || name === "category") return [];
  const best = parting.reduce((a, b) => (Math.abs(b.count - total / 2) < Math.abs(a.count - total / 2) ? b : a)).value;
  const before = { brand: "by ", occasion: "for " }[name.toLowerCase()] ?? "";
  return [`Only ${before}${best}`];
}

/** What takes the constraint away that left nothing. */
function without(blocking) {
  if (!blocking) return [];
  return blocking.field === "price" ? ["Any price"] : [`Any ${String(blocking.field).replace("attributes.", "")}`];
}
