// Pictures in a message: chosen, pasted or dropped; made small here, so that a slow line carries them.

import { announce, byId, el, icon, toWish } from "./dom.js";

const MOST = 4; // what one message may hold
const SIDE = 1024;
const held = []; // data URLs

/** The pictures of the message, which leaves without them. */
export function take() {
  const taken = held.splice(0);
  draw();
  return taken;
}

export const waiting = () => held.length > 0;

/** Open the ways in; `refuse` is told what cannot be read. */
export function prepare(refuse) {
  const input = byId("picture-file");
  byId("picture").append(icon("picture"));
  byId("picture").hidden = false;
  byId("picture").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add(input.files, refuse);
    input.value = "";
  });
  document.addEventListener("paste", (pasted) => {
    const files = [...(pasted.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    pasted.preventDefault();
    add(files, refuse);
  });
  drops(document.querySelector(".talk"), refuse);
}

/** Take files dropped anywhere: a page that takes none would be left for the picture. A card's own picture goes to `talk` alone. */
function drops(talk, refuse) {
  let ours = false;
  const meant = (drag) => [...drag.dataTransfer.types].includes("Files") && (!ours || talk.contains(drag.target));
  document.addEventListener("dragstart", () => (ours = true));
  document.addEventListener("dragend", () => (ours = false));
  document.addEventListener("dragover", (over) => {
    talk.classList.toggle("dropping", meant(over));
    if (meant(over)) over.preventDefault();
  });
  document.addEventListener("dragleave", (left) => {
    if (!left.relatedTarget) talk.classList.remove("dropping");
  });
  document.addEventListener("drop", (dropped) => {
    talk.classList.remove("dropping");
    if (!meant(dropped)) return;
    dropped.preventDefault();
    add(dropped.dataTransfer.files, refuse);
  });
}

async function add(files, refuse) {
  for (const file of files) {
    if (held.length === MOST) {
      refuse(`A message holds up to ${MOST} pictures.`);
      break;
    }
    try {
      held.push(await small(file));
    } catch {
      refuse(`“${file.name}” is no picture that can be read here.`);
    }
  }
  draw();
  toWish();
}

/** A picture as a JPEG data URL, its longest side at most `SIDE`, turned as it was taken, on white where it is clear. */
async function small(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = el("canvas", { width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)) });
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg", 0.85);
}

function draw() {
  const shelf = byId("pictures");
  shelf.hidden = !held.length;
  shelf.replaceChildren(...held.map((url, n) =>
    el("li", {}, el("img", { src: url, alt: `Picture ${n + 1} of your message`, width: 56, height: 56 }),
      el("button", {
        type: "button", class: "drop-picture", "aria-label": `Remove picture ${n + 1}`,
        on: {
          click() {
            held.splice(n, 1);
            draw();
            toWish();
          },
        },
      }, icon("close")))));
  if (held.length) announce(`${held.length === 1 ? "One picture" : `${held.length} pictures`} in your message.`);
}
