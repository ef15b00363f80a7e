// The shop window: picture cards with price, reason and evidence.

import { el, icon, money } from "./dom.js";
import { markButton } from "./marks.js";
import { why } from "./why.js";
import { show } from "./wire.js";

const SIZES = "(max-width: 760px) 45vw, (max-width: 1200px) 30vw, 280px";
let made = 0;

/** Make the card of a recommendation; `actions` are what its buttons do, given (item, card or button). */
export function card(item, actions) {
  const titleId = `title-${(made += 1)}`;
  const price = money(item.price, item.currency);
  const node = el("li", { class: "card", "data-item": item.item_id });
  const open = () => actions.open(item);
  const plinth = el("div", { class: "plinth" }, picture(item),
    el("div", { class: "marks", role: "group", "aria-label": `Your marks on ${item.title}` },
      markButton("praise", item, "Like", icon("like"), () => actions.mark("praise", item)),
      markButton("cart", item, "Save", icon("save"), () => actions.mark("cart", item))));
  plinth.querySelector(".picture").addEventListener("click", open); // as the title does; the keyboard has that one
  node.append(
    el("article", { "aria-labelledby": titleId },
      plinth,
      el("div", { class: "card-body" },
        item.brand && el("p", { class: "brand", text: item.brand }),
        el("h3", { id: titleId }, el("button", { type: "button", class: "title", text: item.title, on: { click: open } })),
        price && el("p", { class: "price", text: price }),
        item.reason && el("p", { class: "reason", text: item.reason }),
        why(item),
      ),
      el("div", { class: "actions", role: "group", "aria-label": `Actions for ${item.title}` },
        action("more", "More like this", item, () => actions.more(item)),
        action("compare", "Compare", item, (event) => actions.compare(item, event.currentTarget), { "aria-pressed": "false" }),
        action("no", "Not this", item, () => actions.dismiss(item, node)),
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

/** Picture `n` of an item on its plinth, or its initial where there is none. */
export function picture(item, { sizes = SIZES, n = 0 } = {}) {
  const frame = el("div", { class: "picture" });
  const initial = () => {
    frame.replaceChildren(el("span", { class: "initial", "aria-hidden": "true", text: item.title?.trim().charAt(0) || "·" }));
    frame.classList.add("missing");
  };
  if (!item.image) {
    initial();
    return frame;
  }
  const img = el("img", { alt: alternative(item), loading: "lazy", decoding: "async", sizes, width: 640, height: 640 });
  img.addEventListener("error", initial, { once: true });
  img.addEventListener("load", () => {
    frame.classList.add("loaded");
    // Posters and fashion stand upright: one such picture makes the whole row upright.
    if (img.naturalHeight > 1.25 * img.naturalWidth) frame.closest(".cards")?.classList.add("tall");
  }, { once: true });
  show(img, item.image, n).catch(initial);
  frame.append(img);
  return frame;
}

function action(name, label, item, run, more = {}) {
  const props = { type: "button", class: `action ${name}`, "aria-label": `${label}: ${item.title}`, title: label, ...more };
  return el("button", { ...props, on: { click: run } }, icon(name), el("span", { class: "action-label", text: label }));
}
