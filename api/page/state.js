// What the page knows: who looks, which conversation it is, and the answer that stands in the window.

/** An id; the session's is chosen here, so that what a guest clicks before speaking belongs to the conversation. */
export function random() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, "0")).join("");
}

export const state = {
  session: random(),
  fresh: true,
  request: null, // the answer that events cite
  origin: null, // what the items in the window come from: {trace, request, shopper, session, told}
  shopper: null,
  running: null,
  spoken: false,
  answer: null, // the latest answer, which the way back from the catalogue leads to: what `display.fill` takes
  shop: null,
};

/** An event about an item, as the service takes it. */
export function event(kind, item) {
  return {
    event_id: random(),
    kind,
    item_id: item.item_id,
    user_id: state.shopper,
    session_id: state.session,
    request_id: state.request,
  };
}

/** Begin another answer's items, or go back to those of `origin`: their evidence is asked for under it, and kept. */
export function begin(origin) {
  state.origin = origin ?? { trace: null, request: state.request, shopper: state.shopper, session: state.session, told: new Map() };
}

/** Who looks, for requests that ask for it in the address. */
export function whose() {
  const asked = new URLSearchParams({ session_id: state.session });
  if (state.shopper) asked.set("user_id", state.shopper);
  return asked;
}
