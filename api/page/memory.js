// What the shop knows of the shopper, in sight and erasable: what they told, what they liked, saved and hid.

import { button, day, el, icon } from "./dom.js";
import * as marks from "./marks.js";
import * as sheet from "./sheet.js";
import { state } from "./state.js";
import { toast } from "./toast.js";
import { erase, get } from "./wire.js";

const SHELVES = { praise: "Liked", cart: "Saved", dismiss: "Hidden" };

/** Open the sheet of the memory; `actions` are those of cards, `changed` is called when something was forgotten. */
export async function memory(actions, changed) {
  const told = el("section", { class: "told", "aria-label": "What you told me" });
  const shelves = el("section", { class: "shelves" });
  sheet.open("What I know of you", el("div", { class: "memory" }, told, shelves));
  const redraw = () => {
    if (shelves.isConnected) shelves.replaceChildren(...Object.entries(SHELVES).map(([kind, name]) => shelf(kind, name, actions)).filter(Boolean));
  };
  marks.watch(redraw);
  redraw();
  await draw(told, changed);
}

const GUEST = "You are a guest: I remember this conversation and what you mark, until the page is closed. Say who you are at the top, and I remember you.";

async function draw(node, changed) {
  const shopper = state.shopper;
  const path = shopper ? `/v1/users/${encodeURIComponent(shopper)}` : `/v1/sessions/${encodeURIComponent(state.session)}`;
  let entries;
  try {
    entries = (await get(`${path}/memory`)).entries;
  } catch (error) {
    node.replaceChildren(el("p", { text: error.message }));
    return;
  }
  const forget = (address, words) => async () => {
    try {
      await erase(address);
    } catch (error) {
      toast(error.message);
      return;
    }
    toast(words);
    changed();
    await draw(node, changed);
    node.querySelector("button")?.focus();
  };
  node.replaceChildren(...[
    !shopper && el("p", { class: "lead", text: GUEST }),
    el("h3", { text: "What you told me" }),
    entries.length
      ? el("ul", { class: "entries" }, entries.map((entry) =>
        el("li", {},
          el("div", {}, el("p", { class: "entry-text", text: entry.text }),
            el("p", { class: "entry-words", text: `You said “${entry.words}”, ${day(entry.told_at)}` })),
          el("button", {
            type: "button", class: "quiet", "aria-label": `Forget: ${entry.text}`, text: "Forget",
            on: { click: forget(`${path}/memory/${encodeURIComponent(entry.entry_id)}`, "Forgotten.") },
          }))))
      : el("p", { class: "muted", text: "Nothing yet. Tell me your size, a budget, what you like and what you cannot stand." }),
    el("div", { class: "forget" },
      entries.length > 1 && button("quiet", "Forget all I told you", forget(`${path}/memory`, "All that you told me is forgotten.")),
      shopper && everything(path, changed)),
  ].filter(Boolean));
}

/** Forgetting the whole shopper is asked about once more. */
function everything(path, changed) {
  const node = button("quiet danger", "Erase everything about me", async () => {
    if (!node.dataset.sure) {
      node.dataset.sure = "asked";
      node.textContent = "Really erase what I did, said and saw here?";
      return;
    }
    try {
      const gone = await erase(path);
      marks.clear();
      sheet.close();
      toast(`Erased: ${gone.events} events, ${gone.conversations} conversations.`);
      changed(true);
    } catch (error) {
      toast(error.message);
    }
  });
  return node;
}

function shelf(kind, name, actions) {
  const items = marks.all(kind);
  if (!items.length) return null;
  return el("div", {}, el("h3", { text: name }), el("ul", { class: "shelf" }, items.map((item) =>
    el("li", {},
      button("shelf-title", item.title, () => actions.open(item)),
      el("button", {
        type: "button", class: "close small", "aria-label": `No longer ${marks.KINDS[kind]}: ${item.title}`,
        on: { click: () => marks.unmark(kind, item).catch((error) => toast(error.message)) },
      }, icon("close"))))));
}
