// The shop window: picture cards with price, reason and evidence.

import { el, icon, money } from "./dom.js";
import { show } from "./wire.js";

const KINDS = {
  event: "What you did", caption: "In its picture", field: "In its record", signal: "How it was found", model: "How it was ranked",
};
const MOST_FACTS = 5;
const SIZES = "(max-width: 760px) 45vw, (max-width: 1200px) 30vw, 280px";

/** Make the card of a recommendation; `actions` are what its buttons do, given (item, card). */
export function card(item, actions) {
  const node = el("li", { class: "card", "data-item": item.item_id });
  const titleId = `title-${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;
  const price = money(item.price, item.currency);
  node.append(
    el("article", { "aria-labelledby": titleId },
      picture(item),
      el("div", { class: "card-body" },
        el("p", { class: "brand", text: item.brand ?? "" }),
        el("h3", { id: titleId, text: item.title }),
        price && el("p", { class: "price", text: price }),
        item.reason && el("p", { class: "reason", text: item.reason }),
        evidence(item),
      ),
      el("div", { class: "actions", role: "group", "aria-label": `Actions for ${item.title}` },
        action("like", "More like this", item, () => actions.like(item, node)),
        action("no", "Not this", item, () => actions.dismiss(item, node)),
        action("compare", "Compare", item, (event) => actions.compare(item, event.currentTarget), {
          "aria-pressed": "false",
        }),
      ),
    ),
  );
  return node;
}

/** Cards that wait for an answer. */
export function placeholders(count) {
  return Array.from({ length: count }, () =>
    el("li", { class: "card waiting", "aria-hidden": "true" },
      el("div", { class: "picture" }), el("div", { class: "line" }), el("div", { class: "line short" })));
}

/** What a picture shows, for those who cannot see it. */
export function alternative(item) {
  return item.caption ? `${item.title}. ${item.caption}` : item.title;
}

export function picture(item) {
  const frame = el("div", { class: "picture" });
  const initial = () => {
    frame.replaceChildren(el("span", { class: "initial", "aria-hidden": "true", text: item.title.trim().charAt(0) || "·" }));
    frame.classList.add("missing");
  };
  if (!item.image) {
    initial();
    return frame;
  }
  const img = el("img", { alt: alternative(item), loading: "lazy", decoding: "async", sizes: SIZES });
  img.addEventListener("error", initial, { once: true });
  img.addEventListener("load", () => {
    frame.classList.add("loaded");
    // Posters and fashion stand upright: one such picture makes the whole row upright.
    if (img.naturalHeight > 1.25 * img.naturalWidth) frame.closest(".cards")?.classList.add("tall");
  }, { once: true });
  show(img, item.image).catch(initial);
  frame.append(img);
  return frame;
}

function evidence(item) {
  if (!item.evidence?.length) return null;
  const groups = Object.keys(KINDS)
    .map((kind) => [kind, [...new Set(item.evidence.filter((fact) => fact.kind === kind).map((fact) => fact.text))]])
    .filter(([, texts]) => texts.length);
  return el("details", { class: "why" },
    el("summary", { "aria-label": `Why this? ${item.title}` }, el("span", { text: "Why this?" })),
    el("dl", {}, groups.map(([kind, texts]) => el("div", {},
      el("dt", { text: KINDS[kind] }), texts.slice(0, MOST_FACTS).map((text) => el("dd", { text }))))),
  );
}

function action(name, label, item, run, more = {}) {
  const props = { type: "button", class: `action ${name}`, "aria-label": `${label}: ${item.title}`, title: label, ...more };
  return el("button", { ...props, on: { click: run } }, icon(name), el("span", { class: "action-label", text: label }));
}
