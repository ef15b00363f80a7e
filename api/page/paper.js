// Paper: a print has every picture, also of cards that were never scrolled to.

const PATIENCE = 8000; // milliseconds that a print waits for pictures; then it goes without the rest

/** Fetch what is missing before the keys of printing print. `beforeprint` could start it, and no browser waits for what it starts. */
export function prepare() {
  document.addEventListener("keydown", (pressed) => {
    if (pressed.key.toLowerCase() !== "p" || !(pressed.ctrlKey || pressed.metaKey) || pressed.shiftKey || pressed.altKey) return;
    const missing = [...document.querySelectorAll("#cards img")].filter((img) => !(img.complete && img.naturalWidth));
    if (!missing.length) return;
    pressed.preventDefault();
    whole(missing).then(() => window.print());
  });
}

function whole(pictures) {
  const fetched = pictures.map((img) => {
    img.loading = "eager";
    return img.decode().catch(() => {}); // one that cannot be shown leaves its initial
  });
  return Promise.race([Promise.all(fetched), new Promise((over) => setTimeout(over, PATIENCE))]);
}
