// A line at the foot of the page about what was just done, with a way back.

import { announce, button, byId, el, icon } from "./dom.js";

const SECONDS = 8;
let leaving = null;

/** Say `text` for a while; `offers` are [words, run] and close it. A pointer on it or the focus in it makes it stay. */
export function toast(text, offers = []) {
  const node = byId("toast");
  node.replaceChildren(
    el("span", { class: "toast-text", text }),
    ...offers.map(([words, run]) => button("toast-do", words, () => {
      close();
      run();
    })),
    el("button", { type: "button", class: "close", "aria-label": "Put this line away", on: { click: close } }, icon("close")),
  );
  node.hidden = false;
  announce(text);
  stay();
  leave();
}

export function prepareToast() {
  const node = byId("toast");
  for (const kind of ["pointerenter", "focusin"]) node.addEventListener(kind, stay);
  for (const kind of ["pointerleave", "focusout"]) node.addEventListener(kind, leave);
}

function stay() {
  clearTimeout(leaving);
}

function leave() {
  stay();
  leaving = setTimeout(close, SECONDS * 1000);
}

function close() {
  stay();
  byId("toast").hidden = true;
}
