// Why this? The signals as bars, the wish's words marked where they stand, the shopper's own events.

import { bar, day, el } from "./dom.js";
import { state } from "./state.js";
import { get, post } from "./wire.js";

const KINDS = {
  event: "What you did", caption: "In its picture", field: "In its record", signal: "How it was found", model: "How it was ranked",
};
const SHARES = {
  relevance: "Answers your wish", words: "Your words", meaning: "What you mean", taste: "Suits your taste",
};
const SIGNALS = [
  [/^keyword/, "Words of its record"], [/^text/, "Meaning of its text"], [/^caption/, "What its picture shows"],
  [/^picture/, "How it looks"], [/^video/, "What its film shows"], [/^fused/, "Picture and words together"],
  [/popular/, "What others take"], [/session|visit/, "What you look at now"], [/content|profile|similar/, "Close to what you like"],
];
const FIELDS = { captions: "Its picture", description: "Its description", title: "Its title", brand: "Its brand", categories: "Its category" };
const DID = {
  purchase: "you bought it", cart: "you saved it", click: "you looked at it", view: "you looked at it", praise: "you liked it",
  rating: "you rated it", dismiss: "you turned it down", return: "you sent it back",
};
const MOST = 5;
const AROUND = 48; // letters of a text kept about a marked word

/** The "why this?" of a card: what came with the answer at once, the whole of it when opened. */
export function why(item) {
  if (!item.evidence?.length) return null;
  const body = el("div", { class: "why-body" }, told(item));
  const { origin } = state;
  const node = el("details", { class: "why" },
    el("summary", { "aria-label": `Why this? ${item.title}` }, el("span", { text: "Why this?" })), body);
  node.addEventListener("toggle", async () => {
    if (!node.open || node.dataset.whole) return;
    node.dataset.whole = "asked";
    const whole = await evidence(item, origin);
    if (!whole) delete node.dataset.whole; // asked for again when it is opened again
    else body.replaceChildren(...drawn(whole), told(item, quoted(whole.words ?? [])));
  });
  return node;
}

/** The fields that stand marked already, by the names the evidence of an answer has for them. */
const quoted = (words) => new Set(words.map(({ field }) => (field === "categories" ? "category" : field.replace("attributes.", ""))));

/** The evidence that came with the answer, in the shop's own words; beside the whole of it, what its record says further than what is `quoted`. */
function told(item, already = null) {
  const kinds = already ? ["field"] : Object.keys(KINDS);
  const groups = kinds
    .map((kind) => [kind, [...new Set(item.evidence.filter((fact) => fact.kind === kind && !already?.has(fact.name)).map((fact) => fact.text))]])
    .filter(([, texts]) => texts.length);
  return el("dl", {}, groups.map(([kind, texts]) => el("div", {},
    el("dt", { text: KINDS[kind] }), texts.slice(0, MOST).map((text) => el("dd", { text })))));
}

async function evidence(item, origin) {
  const known = origin.told.get(item.item_id) ?? await asked(item, origin).catch(() => null);
  origin.told.set(item.item_id, known);
  return known;
}

async function asked(item, { trace, shopper, session }) {
  if (trace) return get(`/v1/traces/${encodeURIComponent(trace)}/items/${encodeURIComponent(item.item_id)}`);
  const body = { arguments: { item_id: item.item_id }, user_id: shopper, session_id: session };
  const { facts, trace: run } = await post("/v1/tools/explain_item", body);
  return run?.evidence ? { ...run.evidence, ground: facts?.ground } : null;
}

/** Draw the whole evidence; of a shopper nobody knows no taste is told. */
export function drawn({ signals, shares, words, events, ground }) {
  const unknown = ground === "popularity";
  const bars = [
    ...Object.entries(shares ?? {}).filter(([name, share]) => share > 0 && !(unknown && name === "taste")).map(([name, share]) => [SHARES[name] ?? name, share, `${Math.round(share * 100)}%`]),
    ...strongest(signals ?? [], unknown).map(([name, { rank, of, strength }]) => [name, strength, `${nth(rank)} of ${of}`]),
  ];
  return [
    bars.length > 0 && el("section", {}, el("h4", { text: "How strongly" }), el("ul", { class: "bars" }, bars.map(([name, share, text]) =>
      el("li", {}, el("span", { class: "bar-name", text: name }), bar(share), el("span", { class: "bar-text", text }))))),
    words?.length > 0 && el("section", {}, el("h4", { text: "Your words in it" }), passages(words).map(([field, text, spans]) =>
      el("p", { class: "passage" }, el("span", { class: "passage-of", text: field }), " ", spans.length ? marked(text, spans) : text))),
    events?.length > 0 && el("section", {}, el("h4", { text: "What you did" }), el("ul", { class: "did" }, events.slice(0, MOST).map(did))),
  ].filter(Boolean);
}

const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const nth = (rank) => `${rank}${ENDINGS[new Intl.PluralRules("en", { type: "ordinal" }).select(rank)]}`;

/** Of signals that are one to a shopper, the strongest: [words, signal]. */
function strongest(signals, unknown) {
  const found = new Map();
  for (const each of signals) {
    const words = signal(each.name, unknown);
    if (!found.has(words) || found.get(words).strength < each.strength) found.set(words, each);
  }
  return [...found].slice(0, MOST);
}

function signal(name, unknown) {
  return SIGNALS.find(([pattern]) => pattern.test(name))?.[1] ?? (unknown ? "What suits most shoppers" : "What shoppers like you take");
}

/** Words that stand in the same text together: [field, text, [[start, end], ...]]. */
function passages(words) {
  const found = new Map();
  for (const { field, text, start, end } of words) {
    if (text === undefined) continue;
    const key = `${field}\u0000${text}`;
    if (!found.has(key)) found.set(key, [FIELDS[field] ?? `Its ${field.replace("attributes.", "")}`, text, []]);
    found.get(key)[2].push([start, end]);
  }
  const weight = ([field]) => (field === FIELDS.captions ? 0 : 1); // what was seen in the picture is the news
  return [...found.values()].sort((a, b) => weight(a) - weight(b)).slice(0, MOST);
}

/** The text with the words marked, far text left out; positions count characters as Python does, emoji as one. */
function marked(text, spans) {
  const letters = Array.from(text);
  const out = el("span", { class: "passage-text" });
  const cut = (from, to, before, after) => {
    const part = letters.slice(from, to);
    if (part.length <= (before && after ? 2 : 1) * AROUND) return part.join("");
    const head = before ? part.slice(0, AROUND).join("").replace(/\s\S*$/, " ") : ""; // whole words only
    const tail = after ? part.slice(-AROUND).join("").replace(/^\S*\s/, " ") : "";
    return `${head}…${tail}`;
  };
  let at = 0;
  for (const [start, end] of spans.sort((a, b) => a[0] - b[0])) {
    if (start < at) continue;
    out.append(cut(at, start, at > 0, true), el("mark", { text: letters.slice(start, end).join("") }));
    at = end;
  }
  out.append(cut(at, letters.length, true, false));
  return out;
}

function did({ title, item_id, kind, when, moved, place_without }) {
  const act = DID[kind] ?? "you took it";
  const date = when ? `, ${day(when)}` : "";
  const without = moved && place_without ? ` Without it this would stand at place ${place_without}.` : moved ? "" : " It resembles this one.";
  return el("li", {}, el("span", { class: "did-title", text: title ?? item_id }), ` (${act}${date}).${without}`);
}
