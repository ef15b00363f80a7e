// The one dialog of the page.

import { byId, icon } from "./dom.js";

let after = () => {};

/** Show `content` under `title`, as a `kind` of sheet; Escape, the cross and a click beside it close it. Then `closed` is called. */
export function open(title, content, { kind = "", closed = () => {} } = {}) {
  after = closed;
  byId("sheet-title").textContent = title;
  byId("sheet-body").replaceChildren(content);
  const sheet = byId("sheet");
  sheet.className = `sheet ${kind}`.trim();
  byId("sheet-body").scrollTop = 0;
  if (sheet.open) return;
  sheet.showModal();
  sheet.append(byId("said"), byId("toast")); // what is outside an open dialog is neither read out nor pressed
}

export function close() {
  byId("sheet").close();
}

export function prepare() {
  const button = byId("sheet-close");
  button.append(icon("close"));
  button.addEventListener("click", close);
  byId("sheet").addEventListener("close", () => {
    document.body.append(byId("said"), byId("toast"));
    after();
  });
  byId("sheet").addEventListener("click", (event) => {
    if (event.target === event.currentTarget) close();
  });
}
