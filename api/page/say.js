// One turn of the conversation: said, streamed, shown, or stopped.

import * as chips from "./chips.js";
import { fill, settled, waiting, WINDOW } from "./display.js";
import { announce, byId, icon } from "./dom.js";
import { leave } from "./rooms.js";
import { state } from "./state.js";
import * as talk from "./talk.js";
import { trace } from "./trace.js";
import { chat, Refusal } from "./wire.js";

const NOTES = {
  recommended: (n) => (n === 1 ? "One piece" : `${n} pieces, the best first`),
  nearest: (n) => `Nothing fits in every way; ${n === 1 ? "this comes" : "these come"} nearest`,
  answered: (n) => (n === 1 ? "One piece" : `${n} pieces`),
  nothing: () => "Nothing in the shop fits that",
  question: (n) => (n ? `${n} pieces, while you think` : ""),
};
let askForKey = () => {};

export const prepare = (run) => {
  askForKey = run;
};

/** Say something to the shop, pictures beside it; `repeated` when it stands in the conversation already. */
export async function say(text, { images = [], repeated = false } = {}) {
  stop();
  if (!repeated) talk.said(text, images);
  chips.offer([]);
  waiting();
  const answer = talk.answering();
  const running = new AbortController();
  state.running = running;
  sending(true);
  let failed = false;
  let ended = false;
  let origin = null;
  const again = () => say(text, { images, repeated: true });
  try {
    const body = { message: text, session_id: state.session, user_id: state.shopper, top_n: WINDOW, ...(images.length ? { images } : {}) };
    for await (const { event: kind, data } of chat(body, running.signal)) {
      if (kind === "status") answer.status(data.text);
      else if (kind === "token") answer.token(data.text);
      else if (kind === "recommendations") origin = shown(text, data);
      else if (kind === "error") {
        failed = true;
        answer.problem(data.detail, again);
      } else if (kind === "done") {
        ended = true;
        finish(answer, data, failed, origin);
      }
    }
    if (!ended && !failed) answer.problem("The answer broke off.", again);
  } catch (error) {
    if (error.name === "AbortError") answer.note("Stopped.");
    else if (error instanceof Refusal && error.status === 401) askForKey(again);
    else answer.problem(error instanceof Refusal ? error.message : "The answer broke off.", again);
  } finally {
    answer.end();
    if (state.running === running) {
      settled();
      state.running = null;
      sending(false);
    }
  }
}

/** Stop the answer that is on its way. */
export function stop() {
  state.running?.abort();
}

/** Show on the button whether there is something to stop. */
export function sending(on) {
  const button = byId("send");
  button.replaceChildren(icon(on ? "stop" : "send"));
  button.setAttribute("aria-label", on ? "Stop the answer" : "Send");
  button.classList.toggle("stop", on);
}

/** Show the items of an answer; what is returned learns the answer's trace when it is whole. */
function shown(wish, { outcome, items }) {
  if (!items.length) {
    byId("window-note").textContent = NOTES[outcome]?.(0) ?? "";
    return null;
  }
  leave();
  state.spoken = true;
  const words = wish || "Like your picture";
  const short = words.length > 60 ? `${words.slice(0, 58).trimEnd()}…` : words;
  const what = [wish ? `“${short}”` : short, NOTES[outcome]?.(items.length) ?? "", items];
  fill(...what);
  state.answer = [...what, state.origin];
  announce(`${items.length} items in the window.`);
  return state.origin;
}

function finish(answer, data, failed, origin) {
  state.session = data.session_id;
  state.request = data.request_id ?? state.request;
  if (origin) Object.assign(origin, { trace: data.trace_id ?? null, request: state.request });
  if (!failed) answer.whole(data.text);
  if (data.session_restarted && !state.fresh) answer.note("The earlier conversation has ended; this is a new one.");
  for (const words of data.disclosures ?? []) answer.note(words);
  state.fresh = false;
  if (data.trace_id) answer.link("How this came about", () => trace(data.trace_id));
  chips.refine(data);
}
