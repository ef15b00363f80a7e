// Which room the address asks the window to show: the dressed window, the catalogue with its filters, or what is like a piece.

import * as browse from "./browse.js";
import * as display from "./display.js";
import { byId } from "./dom.js";
import { get, itemPath } from "./wire.js";

let near = null; // the piece last pressed, so that its title need not be fetched

/** Come to life; the way back, links and the header's button lead from room to room. */
export function prepare() {
  byId("catalogue").addEventListener("click", () => {
    if (browse.asked()) leave(follow);
    else location.hash = browse.address();
  });
  addEventListener("hashchange", follow);
}

/** Show what is like an item, under an address of its own. */
export function like(item) {
  near = item;
  const hash = `#like=${encodeURIComponent(item.item_id)}`;
  if (location.hash === hash) follow();
  else location.hash = hash;
}

/** Something else stands in the window now; the way back leads to the room that was left. */
export function leave(then = () => {}) {
  if (location.hash) history.pushState(null, "", location.pathname);
  tell();
  then();
}

/** Show the room of the address. */
export async function follow() {
  tell();
  const id = location.hash.startsWith("#like=") ? decoded(location.hash.slice(6)) : null;
  if (browse.asked()) await browse.open();
  else if (id === null) await display.back();
  else await display.near(near?.item_id === id ? near : await known(id));
}

/** The record of an item; the window itself tells what is wrong where there is none. */
const known = (id) => get(itemPath(id)).catch(() => ({ item_id: id, title: id }));

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a link cut off in the middle of a sign
  }
}

/** What the header and the narrow screen know of the room. */
function tell() {
  byId("catalogue").setAttribute("aria-pressed", String(browse.asked()));
  document.querySelector(".stage").classList.toggle("browsing", browse.asked());
}
