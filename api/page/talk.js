// The conversation: what was said, what is being done, what went wrong.

import { byId, el } from "./dom.js";

const log = () => byId("log");
const greeting = byId("greeting");
export const narrow = () => matchMedia("(max-width: 760px)").matches;

/** Add what the shopper said, and the pictures they showed. */
export function said(text, images = []) {
  greeting.remove();
  const bubble = el("div", { class: "turn mine" },
    images.length > 0 && el("div", { class: "shown-pictures" }, images.map((src) => el("img", { src, alt: "A picture you showed", width: 96, height: 96 }))),
    text && el("p", { text }), el("span", { class: "unseen", text: "(you)" }));
  log().append(bubble);
  reveal(bubble);
}

/** Begin an answer; it grows by tokens and ends once. A screen reader waits until it is whole. */
export function answering() {
  const status = el("p", { class: "status", text: "Looking" });
  const text = el("p", { class: "answer" });
  const turn = el("div", { class: "turn theirs" }, status, text);
  log().setAttribute("aria-busy", "true");
  log().append(turn);
  reveal(turn);
  return {
    status(words) {
      status.textContent = words;
      reveal(turn);
    },
    token(words) {
      status.hidden = true;
      text.append(words);
      if (!narrow()) reveal(turn);
    },
    whole(words) {
      if (!text.textContent) text.textContent = words;
    },
    note(words) {
      turn.append(el("p", { class: "disclosure", text: words }));
      reveal(turn);
    },
    link(words, run) {
      turn.append(el("button", { type: "button", class: "trace", text: words, on: { click: run } }));
    },
    problem(words, again) {
      status.hidden = true;
      turn.append(el("p", { class: "failure", text: words }), el("button", {
        type: "button", class: "quiet", text: "Try again",
        on: {
          click() {
            turn.remove(); // what comes now stands in its place
            again();
          },
        },
      }));
    },
    end() {
      status.remove();
      if (!text.textContent) text.remove();
      log().setAttribute("aria-busy", "false");
      if (!turn.childElementCount) turn.remove();
      else reveal(turn);
    },
  };
}

/** Add a remark of the page itself. */
export function remark(text) {
  const line = el("p", { class: "remark", text });
  log().append(line);
  reveal(line);
}

/** Begin the conversation anew, with `text` above. */
export function restart(text) {
  log().replaceChildren();
  remark(text);
  log().append(greeting);
}

function reveal(node) {
  const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (narrow()) node.scrollIntoView({ block: "nearest", behavior: smooth });
  else log().scrollTo({ top: log().scrollHeight, behavior: smooth });
}
