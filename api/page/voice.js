// A spoken message: recorded with its level in sight, heard by the shop, and put right by hand before it is sent.

import { announce, byId, icon } from "./dom.js";
import { transcribe } from "./wire.js";

const SECONDS = 60; // what the shop hears of one message
const BARS = 24;
// Where the service's own voice detector finds nothing for certain: no syllable is as short, none as quiet (-60 dB).
const SHORTEST = 0.1; // seconds
const QUIETEST = 0.001; // of full scale
const NO_SOUND = "That recording held no sound. Press the microphone, speak, and press it again when you are done.";
let recording = null;

/** Show the microphone where there is one; `refuse` is told what goes wrong, `heard` the words. */
export function prepare(refuse, heard) {
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.MediaRecorder) return;
  const button = byId("speak");
  button.append(icon("microphone"));
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (recording) recording.stop();
    else await record(refuse, heard).catch(() => refuse("The microphone cannot be used: this browser or device does not allow it."));
  });
  byId("composer").addEventListener("keydown", (pressed) => {
    if (pressed.key !== "Escape" || !recording) return;
    pressed.stopPropagation();
    recording.drop();
  });
}

/** End the recording; false where there is none. */
export function end() {
  recording?.stop();
  return recording !== null;
}

async function record(refuse, heard) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  let wanted = true;
  const end = meter(stream);
  const bound = setTimeout(() => recorder.stop(), SECONDS * 1000);
  recording = {
    stop: () => recorder.stop(),
    drop() {
      wanted = false;
      recorder.stop();
    },
  };
  recorder.addEventListener("dataavailable", (piece) => pieces.push(piece.data));
  recorder.addEventListener("stop", async () => {
    clearTimeout(bound);
    end();
    for (const track of stream.getTracks()) track.stop();
    recording = null;
    listening(false);
    if (!wanted) {
      announce("The recording was dropped.");
      return;
    }
    byId("speak").disabled = true;
    announce("Listening to what you said.");
    try {
      const sound = new Blob(pieces, { type: recorder.mimeType });
      if (await holdsSound(sound)) heard(await transcribe(sound));
      else tell(NO_SOUND);
    } catch (error) {
      refuse(error.message);
    } finally {
      byId("speak").disabled = false;
    }
  });
  recorder.start();
  byId("heard").hidden = true;
  listening(true);
  announce("Recording. Press the microphone again to end, Escape to drop it.");
}

/** Whether there is anything to hear: a recorder ended before its first packet of sound gives an empty file. */
async function holdsSound(recorded) {
  try {
    const sound = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(await recorded.arrayBuffer());
    return sound.duration >= SHORTEST && sound.getChannelData(0).some((value) => Math.abs(value) > QUIETEST);
  } catch {
    return false; // not one sample of it can be decoded
  }
}

/** Say `text` in the line above the composer. */
function tell(text) {
  byId("heard").textContent = text;
  byId("heard").hidden = false;
  announce(text);
}

function listening(on) {
  byId("composer").classList.toggle("recording", on);
  byId("speak").setAttribute("aria-pressed", String(on));
  byId("speak").setAttribute("aria-label", on ? "End the recording" : "Speak");
  byId("level").hidden = !on;
}

/** Draw the level of a stream as bars, the newest on the right; what is returned ends it. */
function meter(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const level = byId("level");
  level.replaceChildren(...Array.from({ length: BARS }, () => document.createElement("span")));
  const began = performance.now();
  let frame = 0;
  let last = 0;
  const draw = (now) => {
    frame = requestAnimationFrame(draw);
    if (now - last < 60) return;
    last = now;
    analyser.getFloatTimeDomainData(samples);
    const loud = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
    const newest = level.firstElementChild;
    newest.style.blockSize = `${Math.round(8 + 92 * Math.min(1, loud * 4))}%`;
    level.append(newest);
    level.setAttribute("aria-valuenow", String(Math.round(Math.min(1, loud * 4) * 100)));
    level.dataset.seconds = `${Math.floor((performance.now() - began) / 1000)} s`;
  };
  frame = requestAnimationFrame(draw);
  return () => {
    cancelAnimationFrame(frame);
    context.close();
  };
}
