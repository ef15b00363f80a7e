// The page comes to life: its controls, who looks, and the first window.

import * as browse from "./browse.js";
import * as chips from "./chips.js";
import * as compare from "./compare.js";
import * as detail from "./detail.js";
import * as display from "./display.js";
import { announce, byId, el, icon, toWish } from "./dom.js";
import * as look from "./look.js";
import * as marks from "./marks.js";
import { memory } from "./memory.js";
import * as paper from "./paper.js";
import * as rooms from "./rooms.js";
import * as saved from "./saved.js";
import * as turn from "./say.js";
import * as sheet from "./sheet.js";
import { random, state } from "./state.js";
import * as talk from "./talk.js";
import { prepareToast, toast } from "./toast.js";
import * as voice from "./voice.js";
import { get, keyed, useKey } from "./wire.js";

function askForKey(then) {
  const refused = keyed() ? "That key is not known here, or no longer. Look at it once more." : null;
  const input = el("input", { type: "password", id: "key", autocomplete: "off", required: true, autofocus: true, "aria-describedby": "key-help", "aria-invalid": refused && "true" });
  const form = el("form", { class: "key-form" },
    el("label", { for: "key", text: "This shop asks for a key" }), input,
    el("button", { type: "submit", class: "primary", text: "Enter" }),
    el("p", { class: refused ? "gone" : "muted", id: "key-help", text: refused ?? "Whoever runs the shop gave you one. It is kept until this tab is closed." }));
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    useKey(input.value);
    sheet.close();
    then();
  });
  sheet.open("Who is there?", form);
}

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 160)}px`;
}

function send() {
  if (voice.end()) return;
  const wish = byId("wish");
  const text = wish.value.trim();
  if (!text && !look.waiting()) return wish.focus();
  wish.value = "";
  grow(wish);
  byId("heard").hidden = true;
  if (matchMedia("(pointer: coarse)").matches) wish.blur(); // its keyboard would lie over the answer
  turn.say(text, { images: look.take() });
}

function listen() {
  const wish = byId("wish");
  byId("composer").addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    if (state.running) turn.stop();
    else send();
  });
  wish.addEventListener("input", () => grow(wish));
  wish.addEventListener("keydown", (pressed) => {
    if (pressed.key === "Enter" && !pressed.shiftKey && !pressed.isComposing) {
      pressed.preventDefault();
      if (wish.value.trim() || look.waiting()) send();
    } else if (pressed.key === "Escape" && !byId("composer").classList.contains("recording")) {
      if (state.running) turn.stop();
      else wish.value = "";
      grow(wish);
    }
  });
  byId("shopper").addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    become(byId("who").value.trim() || null);
    toWish(); // a key pressed next would go on with the name
  });
  byId("who").addEventListener("change", () => become(byId("who").value.trim() || null));
  byId("memory").addEventListener("click", () => memory(display.actions, (gone) => {
    if (gone) become(state.shopper, { again: true });
  }));
  document.addEventListener("keydown", (pressed) => {
    const typing = pressed.target.closest?.("input, textarea, select, dialog");
    if (pressed.key !== "/" || typing || pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
    pressed.preventDefault();
    wish.focus();
  });
}

/** What was heard stands in the composer, to be put right before it is sent. */
function heard({ text, certain, reason }) {
  if (!text) return toast(`I could not make out any words${reason ? `: ${reason}` : ""}. Try again, or type.`);
  const wish = byId("wish");
  wish.value = wish.value.trim() ? `${wish.value.trim()} ${text}` : text;
  grow(wish);
  wish.focus();
  byId("heard").textContent = certain ? "This is what I heard. Put it right if need be, then send." : "I am not sure I heard this right. Put it right, then send.";
  byId("heard").hidden = false;
  announce(`I heard: ${text}`);
}

function become(shopper, { again = false } = {}) {
  if (shopper === state.shopper && !again) return;
  turn.stop();
  Object.assign(state, { shopper, session: random(), fresh: true, spoken: false });
  marks.open();
  talk.restart(again ? "Everything about you is erased." : shopper ? `You are ${shopper}. The window is dressed for you.` : "You are a guest again.");
  chips.offer(state.shop?.examples ?? []);
  rooms.leave(display.dress);
}

async function start() {
  const first = state.shop === null;
  try {
    const shop = await get("/v1/shop");
    state.shop = shop;
    byId("shop").textContent = `${shop.name} · ${shop.on_offer.toLocaleString()} pieces`;
    byId("mind").textContent = `Answers come from the ${shop.mind === "planner" ? "planner, without a language model" : shop.mind}.`;
    chips.offer(shop.examples);
    if (first && shop.sees) look.prepare(toast);
    if (first && shop.hears) voice.prepare(toast, heard);
  } catch (error) {
    return display.trouble(error, start, "In the window today");
  }
  await rooms.follow();
  if (first) detail.prepare(display.actions);
}

for (const [id, sign] of Object.entries({ catalogue: "catalogue", saved: "save", memory: "memory", theme: "theme" })) byId(id).prepend(icon(sign));
turn.prepare(askForKey);
turn.sending(false);
chips.prepare(turn.say);
display.prepare({ say: turn.say, key: () => askForKey(start), like: rooms.like });
sheet.prepare();
compare.clear();
prepareToast();
saved.prepare(display.actions);
browse.prepare();
paper.prepare();
rooms.prepare();
listen();
start();
