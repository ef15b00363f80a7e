// The page's one state and what its controls do.

import { card, placeholders } from "./cards.js";
import * as compare from "./compare.js";
import { announce, byId, el, icon } from "./dom.js";
import * as sheet from "./sheet.js";
import * as talk from "./talk.js";
import { chat, get, post, put, Refusal, useKey } from "./wire.js";

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
const WINDOW = 12;
const state = { session: random(), fresh: true, request: null, shopper: null, running: null, spoken: false, examples: [] };

const actions = {
  like(item) {
    const ordinal = ORDINALS[item.rank - 1];
    if (state.spoken && ordinal) say(`More like the ${ordinal}`);
    else near(item);
  },
  async dismiss(item, node) {
    const next = node.nextElementSibling ?? node.previousElementSibling;
    try {
      await put("/v1/events", { events: [event("dismiss", item)] });
    } catch (error) {
      announce(error.message);
      talk.remark(error.message);
      return;
    }
    node.remove();
    announce(`Noted: not ${item.title}.`);
    (next?.querySelector("button.no") ?? byId("wish")).focus();
  },
  compare: (item, button) => compare.toggle(item, button),
};

function event(kind, item) {
  return {
    event_id: random(),
    kind,
    item_id: item.item_id,
    user_id: state.shopper,
    session_id: state.session,
    request_id: state.request,
  };
}

/** An id; the session's is chosen here, so that what a guest clicks before speaking belongs to the conversation. */
function random() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, "0")).join("");
}

function fill(title, note, items) {
  byId("window-title").textContent = title;
  byId("window-note").textContent = note;
  compare.clear();
  byId("cards").classList.remove("tall");
  byId("cards").replaceChildren(...items.map((item) => card(item, actions)));
  byId("cards").setAttribute("aria-busy", "false");
}

function waiting() {
  byId("cards").setAttribute("aria-busy", "true");
  if (!byId("cards").childElementCount) byId("cards").replaceChildren(...placeholders(8));
}

const NOTES = {
  recommended: (n) => (n === 1 ? "One piece" : `${n} pieces, the best first`),
  nearest: (n) => `Nothing fits in every way; ${n === 1 ? "this comes" : "these come"} nearest`,
  answered: (n) => (n === 1 ? "One piece" : `${n} pieces`),
  nothing: () => "Nothing in the shop fits that",
  question: (n) => (n ? `${n} pieces, while you think` : ""),
};

async function say(text, { repeated = false } = {}) {
  stop();
  if (!repeated) talk.said(text);
  chips([]);
  waiting();
  const answer = talk.answering();
  const running = new AbortController();
  state.running = running;
  sending(true);
  let failed = false;
  try {
    const body = { message: text, session_id: state.session, user_id: state.shopper, top_n: WINDOW };
    for await (const { event: kind, data } of chat(body, running.signal)) {
      if (kind === "status") answer.status(data.text);
      else if (kind === "token") answer.token(data.text);
      else if (kind === "recommendations") shown(text, data);
      else if (kind === "error") {
        failed = true;
        answer.problem(data.detail, () => say(text, { repeated: true }));
      } else if (kind === "done") finish(answer, data, failed);
    }
  } catch (error) {
    if (error.name === "AbortError") answer.note("Stopped.");
    else if (error instanceof Refusal && error.status === 401) askForKey(() => say(text, { repeated: true }));
    else answer.problem(error instanceof Refusal ? error.message : "The answer broke off.", () => say(text, { repeated: true }));
  } finally {
    answer.end();
    byId("cards").setAttribute("aria-busy", "false");
    if (state.running === running) {
      state.running = null;
      sending(false);
    }
  }
}

function shown(wish, { outcome, items }) {
  if (!items.length) {
    byId("window-note").textContent = NOTES[outcome]?.(0) ?? "";
    return;
  }
  state.spoken = true;
  const short = wish.length > 60 ? `${wish.slice(0, 58).trimEnd()}…` : wish;
  fill(`“${short}”`, NOTES[outcome]?.(items.length) ?? "", items);
  announce(`${items.length} items in the window.`);
}

function finish(answer, data, failed) {
  state.session = data.session_id;
  state.request = data.request_id;
  if (!failed) answer.whole(data.text);
  if (data.session_restarted && !state.fresh) answer.note("The earlier conversation has ended; this is a new one.");
  for (const words of data.disclosures ?? []) answer.note(words);
  state.fresh = false;
  if (data.trace_id) answer.link("How this came about", () => trace(data.trace_id));
  if (data.recommendations?.length) chips(["Cheaper ones", "Show me more", "In another colour"]);
}

async function trace(id) {
  try {
    const found = await get(`/v1/traces/${encodeURIComponent(id)}`);
    sheet.open("How this came about", el("pre", { class: "trace-json", tabindex: "0", text: JSON.stringify(found, null, 2) }));
  } catch (error) {
    talk.remark(error.message);
  }
}

function stop() {
  state.running?.abort();
}

function sending(on) {
  const button = byId("send");
  button.replaceChildren(icon(on ? "stop" : "send"));
  button.setAttribute("aria-label", on ? "Stop the answer" : "Send");
  button.classList.toggle("stop", on);
}

function chips(wishes) {
  byId("chips").replaceChildren(...wishes.map((wish) =>
    el("button", { type: "button", class: "chip", text: wish, on: { click: () => say(wish) } })));
}

/** Dress the window for the shopper, before anything is said. */
async function dress() {
  waiting();
  state.spoken = false;
  try {
    const found = await post("/v1/recommendations", { user_id: state.shopper, session_id: state.session, top_n: WINDOW });
    state.request = found.request_id;
    const title = state.shopper ? `For ${state.shopper}` : "In the window today";
    fill(title, found.text ?? "", found.recommendations);
  } catch (error) {
    byId("cards").replaceChildren();
    byId("cards").setAttribute("aria-busy", "false");
    if (error.status === 401) askForKey(start);
    else byId("window-note").textContent = error.message;
  }
}

async function near(item) {
  waiting();
  try {
    const found = await get(`/v1/items/${encodeURIComponent(item.item_id)}/similar?top_n=${WINDOW}`);
    state.spoken = false;
    fill(`Like “${item.title}”`, `${found.items.length} pieces, the nearest first`, found.items);
    announce(`${found.items.length} items like ${item.title}.`);
    byId("window").scrollTo({ top: 0 });
  } catch (error) {
    byId("cards").setAttribute("aria-busy", "false");
    talk.remark(error.message);
  }
}

function askForKey(then) {
  const input = el("input", { type: "password", id: "key", autocomplete: "off", required: true });
  const form = el("form", { class: "key-form" },
    el("label", { for: "key", text: "This shop asks for a key" }), input,
    el("button", { type: "submit", class: "primary", text: "Enter" }));
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

function listen() {
  const wish = byId("wish");
  byId("composer").addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    if (state.running) return stop();
    const text = wish.value.trim();
    if (!text) return wish.focus();
    wish.value = "";
    grow(wish);
    say(text);
  });
  wish.addEventListener("input", () => grow(wish));
  wish.addEventListener("keydown", (pressed) => {
    if (pressed.key === "Enter" && !pressed.shiftKey && !pressed.isComposing) {
      pressed.preventDefault();
      if (wish.value.trim()) {
        const text = wish.value.trim();
        wish.value = "";
        grow(wish);
        say(text);
      }
    } else if (pressed.key === "Escape") {
      if (state.running) stop();
      else wish.value = "";
      grow(wish);
    }
  });
  byId("shopper").addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    become(byId("who").value.trim() || null);
  });
  byId("who").addEventListener("change", () => become(byId("who").value.trim() || null));
}

function become(shopper) {
  if (shopper === state.shopper) return;
  stop();
  state.shopper = shopper;
  state.session = random();
  state.fresh = true;
  talk.restart(shopper ? `You are ${shopper}. The window is dressed for you.` : "You are a guest again.");
  chips(state.examples);
  dress();
}

async function start() {
  sending(false);
  try {
    const shop = await get("/v1/shop");
    state.examples = shop.examples;
    byId("shop").textContent = `${shop.name} · ${shop.items.toLocaleString()} pieces`;
    byId("mind").textContent = `Answers come from the ${shop.mind === "planner" ? "planner, without a language model" : shop.mind}.`;
    chips(shop.examples);
  } catch (error) {
    if (error.status === 401) return askForKey(start);
    byId("window-note").textContent = error.message;
  }
  await dress();
}

sheet.prepare();
listen();
start();
