// One item, whole: its pictures, what its record says, and what was read from its pictures.

import { picture } from "./cards.js";
import { button, el, icon, money, rating } from "./dom.js";
import { markButton } from "./marks.js";
import * as sheet from "./sheet.js";
import { get, itemPath } from "./wire.js";

const MOST_PICTURES = 6;

/** The item the address asks for, or null. */
export const asked = () => new URLSearchParams(location.search).get("piece");

const address = (id) => `${location.pathname}${id === null ? "" : `?${new URLSearchParams({ piece: id })}`}${location.hash}`;

/** Follow the address: a link opens a piece, the way back closes it. */
export function prepare(actions) {
  const follow = () => {
    const id = asked();
    if (id === null) sheet.close();
    else detail({ item_id: id }, actions);
  };
  addEventListener("popstate", follow);
  if (asked() !== null) follow();
}

/** The sheet was closed by hand: the address no longer names its piece. */
function left() {
  if (asked() === null) return;
  if (history.state?.piece) history.back();
  else history.replaceState(null, "", address(null));
}

/** Open the sheet of an item; `actions` are those of its card. */
export async function detail(item, actions) {
  let record;
  if (asked() !== item.item_id) history.pushState({ piece: true }, "", address(item.item_id));
  try {
    record = await get(itemPath(item.item_id));
  } catch (error) {
    if (asked() !== item.item_id) return;
    const words = error.status === 404 ? "It is not in the shop, or no longer." : error.message;
    sheet.open(item.title ?? "This piece", el("p", { text: words }), { closed: left });
    return;
  }
  if (asked() !== item.item_id) return; // gone back meanwhile
  const title = record.title ?? item.title ?? item.item_id;
  const whole = { ...item, ...record, title };
  sheet.open(title, el("div", { class: "detail" },
    pictures(whole),
    el("div", { class: "detail-words" },
      record.brand && el("p", { class: "brand", text: record.brand }),
      el("p", { class: "price", text: money(record.price, record.currency) ?? "No price is given" }),
      rating(record) && el("p", { class: "rating", text: `Rated ${rating(record)}` }),
      record.availability === false && el("p", { class: "gone", text: "Out of stock" }),
      el("div", { class: "detail-do" },
        markButton("praise", whole, "Like", [icon("like"), " Like"], () => actions.mark("praise", whole)),
        markButton("cart", whole, "Save", [icon("save"), " Save"], () => actions.mark("cart", whole)),
        button("quiet", "More like this", () => {
          history.replaceState(null, "", address(null)); // another room follows: no way back to wait for
          sheet.close();
          actions.more(whole);
        })),
      record.description && el("p", { class: "description", text: record.description }),
      facts(record),
      record.captions.length > 0 && el("section", {}, el("h3", { text: "What I see in its picture" }),
        el("p", { class: "seen", text: record.captions[0].text })))), { closed: left });
}

function pictures(item) {
  const frame = el("div", { class: "detail-picture" });
  const look = (n) => frame.replaceChildren(picture(item, { sizes: "(max-width: 760px) 90vw, 400px", n }));
  look(0);
  const count = Math.min(item.pictures ?? 0, MOST_PICTURES);
  const thumbs = count > 1 && el("div", { class: "thumbs", role: "group", "aria-label": "Pictures" },
    Array.from({ length: count }, (_, n) => {
      const thumb = el("button", { type: "button", "aria-label": `Picture ${n + 1} of ${count}` , on: { click: () => look(n) } });
      thumb.append(picture({ ...item, caption: null, title: "" }, { sizes: "64px", n }));
      return thumb;
    }));
  return el("div", { class: "detail-pictures" }, frame, thumbs);
}

function facts(record) {
  const rows = [
    ["Category", record.categories.join(" › ")],
    ...Object.entries(record.attributes).map(([name, values]) => [name, values.join(", ")]),
    ["Sizes", record.sizes.join(", ")],
  ].filter(([, value]) => value);
  return rows.length ? el("dl", { class: "facts" }, rows.map(([name, value]) =>
    el("div", {}, el("dt", { text: name }), el("dd", { text: value })))) : null;
}

