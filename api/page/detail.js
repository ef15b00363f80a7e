// One item, whole: its pictures, what its record says, and what was read from its pictures.

import { picture } from "./cards.js";
import { button, el, icon, money } from "./dom.js";
import { markButton } from "./marks.js";
import * as sheet from "./sheet.js";
import { get, itemPath } from "./wire.js";

const MOST_PICTURES = 6;

/** Open the sheet of an item; `actions` are those of its card. */
export async function detail(item, actions) {
  let record;
  try {
    record = await get(itemPath(item.item_id));
  } catch (error) {
    sheet.open(item.title, el("p", { text: error.message }));
    return;
  }
  const title = record.title ?? item.title;
  const whole = { ...item, ...record, title };
  sheet.open(title, el("div", { class: "detail" },
    pictures(whole),
    el("div", { class: "detail-words" },
      record.brand && el("p", { class: "brand", text: record.brand }),
      el("p", { class: "price", text: money(record.price, record.currency) ?? "No price is given" }),
      stars(record),
      record.availability === false && el("p", { class: "gone", text: "Out of stock" }),
      el("div", { class: "detail-do" },
        markButton("praise", whole, "Like", [icon("like"), " Like"], () => actions.mark("praise", whole)),
        markButton("cart", whole, "Save", [icon("save"), " Save"], () => actions.mark("cart", whole)),
        button("quiet", "More like this", () => {
          sheet.close();
          actions.more(item);
        })),
      record.description && el("p", { class: "description", text: record.description }),
      facts(record),
      record.captions.length > 0 && el("section", {}, el("h3", { text: "What I see in its picture" }),
        el("p", { class: "seen", text: record.captions[0].text })))));
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

function stars(record) {
  if (!record.rating) return null;
  const count = record.rating_count ? ` from ${record.rating_count.toLocaleString()}` : "";
  return el("p", { class: "rating", text: `${record.rating.toFixed(1)} of 5 stars${count}` });
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

