// The reference, drawn from the OpenAPI document.

import { byId, el } from "./dom.js";

const METHODS = ["get", "post", "put", "delete"];

function resolve(schema, spec) {
  if (!schema) return {};
  if (schema.$ref) return { name: schema.$ref.split("/").pop(), ...spec.components.schemas[schema.$ref.split("/").pop()] };
  const real = (schema.anyOf ?? []).filter((choice) => choice.type !== "null");
  return real.length === 1 ? { ...resolve(real[0], spec), description: schema.description, optional: true } : schema;
}

function kind(schema, spec) {
  const found = resolve(schema, spec);
  if (found.type === "array") return `list of ${kind(found.items, spec)}`;
  if (found.anyOf) return found.anyOf.map((choice) => kind(choice, spec)).join(" or ");
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  return found.name ?? found.type ?? "any";
}

function table(rows) {
  return el("table", {},
    el("thead", {}, el("tr", {}, ["Field", "Type", "Meaning"].map((text) => el("th", { scope: "col", text })))),
    el("tbody", {}, rows.map((row) => el("tr", {},
      el("td", {}, el("code", { text: row.name }), row.required ? " *" : ""),
      el("td", { text: row.kind }),
      el("td", { text: row.text })))));
}

function fields(schema, spec) {
  const found = resolve(schema, spec);
  return Object.entries(found.properties ?? {}).map(([name, property]) => ({
    name,
    required: found.required?.includes(name),
    kind: kind(property, spec),
    text: [
      property.description ?? "",
      property.default !== undefined && property.default !== null ? `Default ${JSON.stringify(property.default)}.` : "",
    ].join(" ").trim(),
  }));
}

function example(schema, spec) {
  const properties = Object.entries(resolve(schema, spec).properties ?? {});
  const given = properties.filter(([, property]) => property.examples).map(([name, property]) => [name, property.examples[0]]);
  return given.length ? Object.fromEntries(given) : null;
}

function door(method, path, operation, spec) {
  const body = el("div", { class: "door-body" });
  if (operation.description) body.append(el("p", { text: operation.description }));
  const parameters = (operation.parameters ?? []).map((parameter) => ({
    name: parameter.name,
    required: parameter.required,
    kind: `${kind(parameter.schema, spec)}, in the ${parameter.in}`,
    text: parameter.description ?? "",
  }));
  if (parameters.length) body.append(el("h3", { text: "Parameters" }), table(parameters));
  const request = operation.requestBody?.content?.["application/json"]?.schema;
  if (request) {
    body.append(el("h3", { text: "Body" }), table(fields(request, spec)));
    const sample = example(request, spec);
    if (sample) body.append(el("h3", { text: "Example" }), el("pre", { tabindex: "0", text: JSON.stringify(sample, null, 2) }));
  }
  const answer = operation.responses?.["200"]?.content?.["application/json"]?.schema;
  if (answer && fields(answer, spec).length) body.append(el("h3", { text: "Answer" }), table(fields(answer, spec)));
  const id = operation.operationId;
  return el("details", { class: "door", id },
    el("summary", {}, el("span", { class: "method", text: method.toUpperCase() }), el("code", { text: path }),
      el("span", { text: operation.summary ?? "" })), body);
}

function draw(spec) {
  const groups = new Map();
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const tag = item[method].tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), door(method, path, item[method], spec)]);
    }
  }
  const out = byId("reference");
  for (const [tag, doors] of groups) {
    out.append(el("section", { "aria-labelledby": `tag-${tag}` }, el("h2", { id: `tag-${tag}`, text: tag }), doors));
    byId("contents").append(el("a", { href: `#tag-${tag}`, text: `${tag}: ${doors.length}` }));
  }
  out.setAttribute("aria-busy", "false");
}

const answer = await fetch("/openapi.json");
draw(await answer.json());
