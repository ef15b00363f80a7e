// Talking to the service: JSON requests, the chat stream, pictures.

const KEY = "vitrine-key";
let key = null;
try {
  key = sessionStorage.getItem(KEY);
} catch {
  // Storage may be forbidden; the key is then asked for again.
}

/** A refusal of the service; `message` is its own sentence, `after` the seconds it asks to wait, where it does. */
export class Refusal extends Error {
  constructor(status, detail, after = null) {
    super(detail);
    this.status = status;
    this.after = after;
  }
}

/** Whether a key was given. */
export const keyed = () => key !== null;

export function useKey(value) {
  key = value;
  try {
    sessionStorage.setItem(KEY, value);
  } catch {
    // See above.
  }
}

const TRIES = 3; // of a request the service put off: it did nothing of it
const PATIENCE = 5; // seconds it may ask for while nobody is told

async function request(method, path, body, options = {}) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await once(method, path, body, options);
    } catch (error) {
      if (error.status !== 503 || !error.after || error.after > PATIENCE || tries === TRIES) throw error;
      await pause(error.after, options.signal);
    }
  }
}

function pause(seconds, signal) {
  return new Promise((done, gone) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      gone(signal.reason);
    }, { once: true });
  });
}

async function once(method, path, body, options) {
  const headers = { Accept: options.accept ?? "application/json" };
  const form = body instanceof FormData; // it names its own type, with the boundary
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined || form ? body : JSON.stringify(body),
      signal: options.signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The shop cannot be reached just now.", PATIENCE);
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    const after = Number(response.headers.get("Retry-After")) || null; // as a date it is not known here
    const detail = problem.detail ?? `The shop answered ${response.status}.`;
    throw new Refusal(response.status, detail.charAt(0).toUpperCase() + detail.slice(1), after);
  }
  return response;
}

export const get = async (path) => (await request("GET", path)).json();
export const post = async (path, body) => (await request("POST", path, body)).json();
export const put = async (path, body) => (await request("PUT", path, body)).json();
export const erase = async (path) => (await request("DELETE", path)).json();

/** The door of an item; ids may hold anything. */
export const itemPath = (item_id) => `/v1/items/${encodeURIComponent(item_id)}`;

/** What is said in a recording: `{text, confidence, certain, reason}`. */
export function transcribe(sound) {
  const form = new FormData();
  form.append("file", sound, "voice.webm");
  return post("/v1/audio/transcriptions", form);
}

/** Give the events of one chat turn as `{event, data}`. */
export async function* chat(body, signal) {
  const response = await request("POST", "/v1/chat", body, { accept: "text/event-stream", signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      const parsed = parse(block);
      if (parsed) yield parsed;
    }
  }
}

function parse(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}

const WIDTHS = [160, 320, 640, 960]; // what the service makes

/** Show picture `n` of an item in `img`; with a key it is fetched first, since an `<img>` cannot carry one. */
export async function show(img, address, n = 0) {
  const at = (size) => `${address}?size=${size}${n ? `&n=${n}` : ""}`;
  if (!key) {
    img.srcset = WIDTHS.map((width) => `${at(width)} ${width}w`).join(", ");
    img.src = at(640);
    return;
  }
  const response = await request("GET", at(640), undefined, { accept: "image/*" });
  const url = URL.createObjectURL(await response.blob());
  img.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
  img.src = url;
}
