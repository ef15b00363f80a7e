// What stands in the window, and what its cards do.

import { card, placeholders } from "./cards.js";
import * as compare from "./compare.js";
import { detail } from "./detail.js";
import { announce, button, byId, toWish } from "./dom.js";
import * as marks from "./marks.js";
import { begin, event, state, whose } from "./state.js";
import * as talk from "./talk.js";
import { toast } from "./toast.js";
import { get, itemPath, post, put } from "./wire.js";

export const WINDOW = 12;
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
const wishes = { say: () => {}, key: () => {}, like: () => {} };
let again = null; // a try that waits for its moment
let turn = 0; // of what fills the window: what comes late, when something else was asked for, is not shown

/** Tell what speaks for the shopper, what asks for a key and what leads to the room of a piece's likes. */
export const prepare = (given) => Object.assign(wishes, given);

/** What the buttons of a card do. */
export const actions = {
  open(item) {
    put("/v1/events", { events: [event("click", item)] }).catch(() => {}); // what is lost is a hint, not a wish
    detail(item, actions);
  },
  more(item) {
    const ordinal = ORDINALS[item.rank - 1];
    if (state.spoken && ordinal) wishes.say(`More like the ${ordinal}`);
    else wishes.like(item);
  },
  async mark(kind, item) {
    const words = marks.KINDS[kind];
    try {
      if (marks.marked(kind, item)) {
        await marks.unmark(kind, item);
        announce(`No longer ${words}: ${item.title}.`);
        return;
      }
      await marks.mark(kind, item);
      const offers = [["Undo", () => actions.mark(kind, item)]];
      if (!state.spoken) offers.push(["Dress the window anew", dress]);
      toast(`${words === "liked" ? "Liked" : "Saved"}: ${item.title}.`, offers);
    } catch (error) {
      toast(error.message);
    }
  },
  async dismiss(item, node) {
    const list = node.parentElement;
    const after = node.nextElementSibling;
    const next = after ?? node.previousElementSibling;
    try {
      await marks.mark("dismiss", item);
    } catch (error) {
      toast(error.message);
      return;
    }
    node.remove();
    next ? next.querySelector("button.no").focus() : toWish();
    const back = async () => {
      try {
        await marks.unmark("dismiss", item);
      } catch (error) {
        toast(error.message);
        return;
      }
      if (!list.isConnected) return;
      list.insertBefore(node, after?.parentElement === list ? after : null);
      node.querySelector("button.no").focus();
      announce(`Back in the window: ${item.title}.`);
    };
    toast(`Noted: not ${item.title}.`, [["Undo", back]]);
    if (!state.spoken) await fillUp(list);
  },
  compare: (item, button) => compare.toggle(item, button),
};

/** Put something else where an item was hidden. */
async function fillUp(list) {
  const shown = [...list.querySelectorAll(".card")].map((each) => each.dataset.item);
  const hidden = marks.all("dismiss").map((item) => item.item_id);
  const found = await post("/v1/recommendations", {
    user_id: state.shopper, session_id: state.session, top_n: 1, exclude: [...shown, ...hidden],
  }).catch(() => null);
  const item = found?.recommendations[0];
  if (item && list.isConnected && !state.spoken && list.closest("#window")) list.append(card({ ...item, rank: shown.length + 1 }, actions));
}

/** Fill the window with items under a title; `origin` where they stood in it before. */
export function fill(title, note, items, origin = null) {
  clearTimeout(again);
  turn += 1;
  begin(origin);
  byId("window-title").textContent = title;
  byId("window-note").textContent = note;
  byId("facets").hidden = true;
  byId("more").hidden = true;
  compare.clear();
  byId("cards").classList.remove("tall");
  byId("cards").replaceChildren(...items.map((item) => card(item, actions)));
  settled();
}

/** Show that the window is about to change. */
export function waiting() {
  byId("cards").setAttribute("aria-busy", "true");
  if (!byId("cards").childElementCount) byId("cards").replaceChildren(...placeholders(8));
}

export function settled() {
  byId("cards").setAttribute("aria-busy", "false");
  for (const node of document.querySelectorAll("#cards > .waiting")) node.remove();
}

/** Say why the window cannot show what was asked for, under its title; the way on is a button, and a moment that was asked for is waited for. */
export function trouble(error, run, title) {
  settled();
  byId("facets").hidden = true;
  byId("more").hidden = true;
  byId("cards").replaceChildren();
  byId("window-title").textContent = title;
  clearTimeout(again);
  const retry = () => {
    clearTimeout(again);
    run();
  };
  const locked = error.status === 401;
  byId("window-note").replaceChildren(`${locked ? "This shop asks for a key." : error.message} `, button("quiet", locked ? "Enter a key" : "Try again", locked ? wishes.key : retry));
  if (locked) return wishes.key();
  announce(error.message);
  if (error.after) again = setTimeout(retry, error.after * 1000);
}

/** Show the window from its top. */
export function top() {
  const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  byId("window").scrollTo({ top: 0 });
  if (talk.narrow()) byId("window").scrollIntoView({ block: "start", behavior: smooth });
}

/** Show the latest answer again, or the dressed window where nothing was answered. */
export async function back() {
  if (!state.answer) return dress();
  state.spoken = true;
  const [title, note, items, origin] = state.answer;
  fill(title, note, items.filter((item) => !marks.marked("dismiss", item)), origin);
}

/** Dress the window for the shopper, before anything is said. */
export async function dress() {
  const mine = (turn += 1);
  waiting();
  Object.assign(state, { spoken: false, answer: null });
  const title = state.shopper ? `For ${state.shopper}` : "In the window today";
  try {
    const found = await post("/v1/recommendations", { user_id: state.shopper, session_id: state.session, top_n: WINDOW });
    if (mine !== turn) return;
    state.request = found.request_id;
    fill(title, found.recommendations.length ? found.text ?? "" : "Nothing is on offer just now.", found.recommendations);
  } catch (error) {
    if (mine === turn) trouble(error, dress, title);
  }
}

/** Show what is close to an item. */
export async function near(item) {
  const mine = (turn += 1);
  waiting();
  try {
    const found = await get(`${itemPath(item.item_id)}/similar?top_n=${WINDOW}&${whose()}`);
    if (mine !== turn) return;
    Object.assign(state, { spoken: false, request: found.request_id });
    fill(`Like “${item.title}”`, `${found.items.length} pieces, the nearest first`, found.items);
    announce(`${found.items.length} items like ${item.title}.`);
    top();
  } catch (error) {
    if (mine === turn) trouble(error, () => near(item), `Like “${item.title}”`);
  }
}
