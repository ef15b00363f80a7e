// How an answer came about, for engineers: what was understood, which calls were made, what each stage did.

import { bar, el } from "./dom.js";
import * as sheet from "./sheet.js";
import * as talk from "./talk.js";
import { get } from "./wire.js";

const MOST = 12;

/** Open the drawer of a trace. */
export async function trace(id) {
  try {
    sheet.open("How this came about", drawn(await get(`/v1/traces/${encodeURIComponent(id)}`)), { kind: "drawer" });
  } catch (error) {
    talk.remark(error.message);
  }
}

function drawn(told) {
  const mind = (told.minds ?? []).at(-1);
  const facts = [
    ["Message", told.message], ["Answered by", told.mind], ["Took", ms(told.milliseconds)],
    ["Outcome", told.answer?.outcome], ["Rounds", mind?.rounds], ["Tokens", mind?.tokens || null], ["Trace", told.trace_id],
    ["Kept in mind", told.memory?.kept?.length ? JSON.stringify(told.memory.kept) : null],
    ["Gate", told.gate && `${told.gate.mode}, ${told.gate.changes.length} changes`], ["Error", told.error],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("div", { class: "trace-view" },
    el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: String(value) })))),
    (told.tools ?? []).map((run, n) => call(run, n + 1, told.milliseconds)),
    !told.tools?.length && el("p", { class: "muted", text: "No tool was called." }),
    el("details", { class: "raw" }, el("summary", { text: "The whole trace as JSON" }),
      el("pre", { class: "trace-json", tabindex: "0", role: "region", "aria-label": "Trace as JSON", text: JSON.stringify(told, null, 2) })));
}

function call(run, number, whole) {
  const { stages = [], sources = {}, drops = {}, ranked = [], degraded = [] } = run.trace ?? {};
  const longest = Math.max(...stages.map((stage) => stage.ms ?? 0), 1e-9);
  return el("section", { class: "call" },
    el("h3", {}, `${number}. `, el("code", { text: run.tool }), el("span", { class: "muted", text: ` ${ms(run.milliseconds)}` })),
    bar(whole ? run.milliseconds / whole : 0),
    el("pre", { class: "arguments", tabindex: "0", role: "region", "aria-label": `Arguments of ${run.tool}`, text: JSON.stringify(run.arguments) }),
    (run.error || run.text) && el("p", { class: run.error ? "gone" : "muted", text: run.error ?? run.text }),
    degraded.length > 0 && el("p", { class: "gone", text: `Degraded: ${degraded.join(", ")}` }),
    stages.length > 0 && el("ul", { class: "bars stages" }, stages.map(({ stage, ms: took, ...rest }) =>
      el("li", {}, el("span", { class: "bar-name", text: stage }), bar((took ?? 0) / longest), el("span", { class: "bar-text", text: ms(took) }),
        el("span", { class: "stage-facts", text: said(rest) })))),
    Object.keys(sources).length > 0 && el("p", { class: "muted", text: `Candidates: ${said(sources)}` }),
    ranked.length > 0 && el("div", { class: "compare-scroll", tabindex: "0", role: "region", "aria-label": "Ranked candidates" },
      el("table", { class: "ranked" },
        el("thead", {}, el("tr", {}, ["", "Item", "Score", "Proposed by"].map((text) => el("th", { scope: "col", text })))),
        el("tbody", {}, ranked.slice(0, MOST).map((each) => el("tr", {}, [
          each.rank, each.item_id, typeof each.score === "number" ? each.score.toFixed(3) : "",
          (each.sources ?? []).map(({ source, rank }) => `${source} #${rank}`).join(", "),
        ].map((text) => el("td", { text: String(text) }))))))),
    Object.keys(drops).length > 0 && el("details", {}, el("summary", { text: `${Object.keys(drops).length} dropped` }),
      el("ul", { class: "drops" }, Object.entries(drops).slice(0, 50).map(([item, reason]) => el("li", { text: `${item}: ${reason}` })))));
}

const ms = (value) => (typeof value === "number" ? `${value < 10 ? value.toFixed(1) : Math.round(value)} ms` : "");

function said(rest) {
  return Object.entries(rest)
    .filter(([, value]) => value !== null && (typeof value !== "object" || Object.keys(value).length))
    .map(([name, value]) => `${name} ${plain(value)}`).join(", ");
}

function plain(value) {
  if (typeof value !== "object") return String(value);
  return Array.isArray(value) ? value.map(plain).join(" ") : `(${said(value)})`;
}
