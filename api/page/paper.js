// Paper: a print has every picture, also of cards that were never scrolled to.

const PATIENCE = 8000; // milliseconds that a print waits for pictures; then it goes without the rest

/** Fetch what is missing before the keys of printing print, and when the pointer leaves for the browser's menu. `beforeprint` could start it, and no browser waits for what it starts. */
export function prepare() {
  document.addEventListener("keydown", (pressed) => {
    if (pressed.key.toLowerCase() !== "p" || !(pressed.ctrlKey || pressed.metaKey) || pressed.shiftKey || pressed.altKey) return;
    if (!missing().length) return;
    pressed.preventDefault();
    whole().then(() => window.print());
  });
  document.documentElement.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && !navigator.connection?.saveData) for (const img of missing()) img.loading = "eager";
  });
}

const missing = () => [...document.querySelectorAll("#cards img")].filter((img) => !(img.complete && img.naturalWidth));

async function whole() {
  const over = new Promise((done) => setTimeout(done, PATIENCE, "over"));
  const tried = new Set(); // one that cannot be shown leaves its initial
  let left = missing();
  while (left.length) {
    const fetched = left.map((img) => {
      tried.add(img);
      img.loading = "eager";
      return img.decode().catch(() => {});
    });
    if ((await Promise.race([over, Promise.all(fetched)])) === "over") return;
    left = missing().filter((img) => !tried.has(img)); // another list may have come meanwhile
  }
}
