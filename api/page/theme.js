// Dark or light, as chosen on this page or by the system. Not a module: it runs before the first paint.
(() => {
  const KEY = "vitrine-theme";
  const root = document.documentElement;
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch {
    // Storage may be forbidden; the system decides.
  }
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    const tell = () => button?.setAttribute("aria-pressed", String(dark()));
    tell();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
    button?.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      tell();
      try {
        localStorage.setItem(KEY, root.dataset.theme);
      } catch {
        // See above.
      }
    });
  });
})();
