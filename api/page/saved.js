// What the shopper saved, one press away.

import { picture } from "./cards.js";
import { button, byId, el, money } from "./dom.js";
import * as marks from "./marks.js";
import * as sheet from "./sheet.js";
import { toast } from "./toast.js";

/** Keep the count on the header's button right, and open the shelf from it. */
export function prepare(actions) {
  const tell = () => {
    const count = marks.all("cart").length;
    byId("saved-count").textContent = count ? String(count) : "";
    byId("saved").setAttribute("aria-label", count === 1 ? "Saved: one piece" : `Saved: ${count || "no"} pieces`);
  };
  marks.watch(tell);
  tell();
  byId("saved").addEventListener("click", () => open(actions));
}

function open(actions) {
  const items = marks.all("cart");
  const body = items.length
    ? el("ul", { class: "shelf-cards" }, items.map((item) =>
      el("li", {}, picture(item, { sizes: "120px" }),
        el("div", {},
          button("shelf-title", item.title, () => actions.open(item)),
          el("p", { class: "price", text: money(item.price, item.currency) ?? "" }),
          el("button", {
            type: "button", class: "quiet", text: "Remove", "aria-label": `Remove: ${item.title}`,
            on: {
              async click() {
                await marks.unmark("cart", item).catch((error) => toast(error.message));
                open(actions);
              },
            },
          })))))
    : el("p", { class: "lead", text: "Nothing is saved yet. The ribbon on a picture keeps a piece here." });
  sheet.open("Saved for later", body);
}
