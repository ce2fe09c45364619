"use strict";
// Building blocks, and the full account of one variant. Text only ever enters the page as text nodes.

const glyphs = {passed: "✓", failed: "✗", divergent: "≠", unsupported: "–", crashed: "‼", "timed-out": "⋯", "not-run": "○"};
const data = JSON.parse(document.getElementById("data").textContent);
const text = number => data.strings[number] || "";

/** An element with attributes (handlers among them) and children; strings become text. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  for (const child of children.flat(2)) if (child !== null && child !== undefined && child !== "") element.append(child);
  return element;
}

function say(words) {
  document.getElementById("said").textContent = words;
}

async function copy(words, what) {
  try {
    await navigator.clipboard.writeText(words);
  } catch {  // not everywhere is a page from a file allowed to; the old way still is
    const area = make("textarea", {class: "unseen"});
    area.value = words;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied`);
}

function copyButton(label, what, words) {
  const button = make("button", {type: "button", click: async () => {
    await copy(words(), what);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  }}, label);
  return button;
}

function tally(verdict, words) {
  return make("span", {class: `tally ${verdict}`}, make("span", {"aria-hidden": "true"}, glyphs[verdict]), ` ${words}`);
}

/** A number of three digits as people write it; the file has rounded it already. */
function short(number) {
  if (number === undefined || number === null) return "–";
  return Math.abs(number) < 1e6 ? String(number) : number.toExponential(1);
}

const inShell = words => `'${words.replaceAll("'", "'\\''")}'`;

function command(variant, column) {
  const device = column.device === "cpu" ? "" : ` --device ${column.device}`;
  return `conformance run --variant ${inShell(variant.id)} --backend ${column.backend} --mode ${column.mode}${device}`;
}

const outcomeOf = (variant, column) => variant.codes[column] === "." ? null : variant.outcomes[variant.codes.charCodeAt(column) - 48];

/** Columns in words, the modes of a backend together. */
function together(columns) {
  const modes = new Map();
  for (const column of columns) modes.set(column.group, [...modes.get(column.group) || [], column.mode]);
  return [...modes].map(([group, names]) => `${group} ${names.join(", ")}`);
}

/** The two head rows of a table with a column for each backend and mode. */
function heads(first) {
  const spans = new Map();
  for (const column of data.columns) spans.set(column.group, (spans.get(column.group) || 0) + 1);
  return make("thead", null,
    make("tr", null, make("th", {scope: "col", rowspan: 2}, first), [...spans].map(([group, span]) => make("th", {scope: "colgroup", colspan: span}, group))),
    make("tr", null, data.columns.map(column => make("th", {scope: "col"}, column.mode))));
}

function link(words) {
  return words.startsWith("https://") ? make("a", {href: words, rel: "noopener noreferrer"}, words) : words;
}

function findings(details) {
  return (details.findings || []).map(finding => {
    const [channel, expected, got, detail] = finding.map(text);
    return make("div", {class: "finding"}, make("b", null, channel), `: expected ${expected}, got ${got}`, detail && make("div", null, make("small", null, detail)));
  });
}

/** The columns that share an outcome, as one row. */
function outcomeRow(variant, outcome, labels) {
  const verdict = data.verdicts[outcome.verdict], details = outcome.details;
  const letter = variant.results.length > 1 && outcome.result >= 0 ? make("span", {class: "letter"}, String.fromCharCode(65 + outcome.result % 26)) : "";
  const reason = text(details.reason), failed = verdict === "failed" && details.findings;
  return make("tr", null,
    make("th", {scope: "row"}, labels.map(label => make("div", null, label))),
    make("td", {class: verdict}, tally(verdict, verdict)),
    make("td", {class: "got"}, letter, outcome.result >= 0 ? variant.results[outcome.result].join(": ") : text(details.raised) || "nothing"),
    make("td", {class: "number"}, short(outcome.ulp), make("br"), make("small", null, outcome.budget === undefined || outcome.budget === null ? "" : `of ${short(outcome.budget)}`)),
    make("td", null, outcome.at ? make("code", null, `[${outcome.at}`.replace(/( of step .*)?$/, "]$1")) : "–"),
    make("td", {class: "number"}, short(outcome.whole)),
    make("td", null, reason && !failed ? make("div", null, reason) : "", details.link ? make("div", {class: "why"}, link(text(details.link))) : "", findings(details)));
}

function answers(variant) {
  return variant.answers.map(([kind, value, decimals, backends]) => make("div", null,
    make("code", null, `${text(kind)}: ${value}`),
    backends ? make("small", null, ` (${backends.join(", ")})`) : "",
    decimals.length ? make("div", null, make("small", null, "before rounding: "), make("code", null, decimals.join(", "), value.split(", ").length > decimals.length ? ", …" : "")) : ""));
}

function repeat(variant) {
  const recorded = data.columns.map((column, i) => i).filter(i => outcomeOf(variant, i));
  const worst = recorded.find(i => !["passed", "unsupported"].includes(data.verdicts[outcomeOf(variant, i).verdict]));
  const shown = make("code");
  const choice = make("select", {"aria-label": "Backend and mode of the command", change: () => show()},
    recorded.map(i => make("option", {value: i, selected: i === (worst ?? recorded[0])}, data.columns[i].label)));
  const show = () => { shown.textContent = recorded.length ? command(variant, data.columns[choice.value]) : ""; };
  show();
  return make("div", {class: "repeat"}, make("span", null, "Repeat it:"), choice, make("pre", null, shown), copyButton("Copy", "Command", () => shown.textContent));
}

/** Everything the runs hold about a variant. */
function account(variant) {
  const kin = variant.home;
  const list = make("dl", null);
  const tell = (term, ...content) => { if (content.flat().some(Boolean)) list.append(make("dt", null, term), make("dd", null, ...content)); };
  tell(kin.claim ? "Claim" : "Call", make("code", null, kin.call));
  tell("Inputs", text(variant.inputs) && make("pre", null, text(variant.inputs)));
  tell("Expected", text(variant.expected));
  tell(variant.id.endsWith(",gradient]") ? "Exact gradient" : "Exact answer", answers(variant));
  tell("Budget from", text(variant.source));
  const rows = variant.outcomes.map(outcome => {
    return outcomeRow(variant, outcome, together(data.columns.filter((column, i) => outcomeOf(variant, i) === outcome)));
  });
  const absent = data.columns.filter((column, i) => !outcomeOf(variant, i));
  return make("div", {class: "variant", id: "variant"},
    make("h4", {tabindex: "-1"}, make("span", {class: "id"}, variant.id), " ",
      copyButton("Copy link", "Link", () => `${location.href.split("#")[0]}#v=${encodeURIComponent(variant.id)}`)),
    list,
    make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Table: outcomes"}, make("table", null,
      make("caption", null, "Columns with the same outcome share a row", variant.results.length > 1 ? "; results with the same letter have the same bits" : ""),
      make("thead", null, make("tr", null, ["Backend and mode", "Verdict", "Result", "Error, ULP", "at", "End to end, ULP", "Why"].map(head => make("th", {scope: "col"}, head)))),
      make("tbody", null, rows))),
    absent.length ? make("p", {class: "hint"}, "No record: ", absent.map(column => column.label + (column.missing ? " (the run is incomplete)" : column.because ? ` (not in this mode’s subset, because ${column.because})` : "")).join("; ")) : "",
    repeat(variant));
}
