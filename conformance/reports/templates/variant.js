"use strict";
// Building blocks, and the full account of one variant. Text only ever enters the page as text nodes.

const glyphs = {passed: "✓", failed: "✗", divergent: "≠", unsupported: "–", crashed: "‼", "timed-out": "⋯", "not-run": "○"};

/** The drill-down's data: JSON, compressed, in base64. */
async function unpack(packed) {
  if (!("DecompressionStream" in window)) document.getElementById("data").before(make("p", {class: "warnings"}, "This list needs a browser of 2023 or later. Everything else on this page is complete without it."));
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text());
}

const data = await unpack(document.getElementById("data").textContent);
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

/** Another spelling, from the data's list. */
const spelling = number => {
  const [group, operation, name, backend, device, mode] = data.spellings[number];
  return {group, operation, name, backend, device, mode, label: `${group}: ${name}`};
};

/** The other spellings that have a record of a variant, each with its number and its outcome. */
function others(variant) {
  return variant.home.spelled.map((number, i) => [number, outcomeOf(variant, data.columns.length + i)]).filter(([, outcome]) => outcome);
}

/** Columns in words, the modes of a backend together. */
function together(columns) {
  const modes = new Map();
  for (const column of columns) modes.set(column.group, [...modes.get(column.group) || [], column.mode]);
  return [...modes].map(([group, names]) => `${group} ${names.join(", ")}`);
}

/** The two head rows of a table with a column for each backend and mode. */
function heads(first, last) {
  const spans = new Map();
  for (const column of data.columns) spans.set(column.group, (spans.get(column.group) || 0) + 1);
  return make("thead", null,
    make("tr", null, make("th", {scope: "col", rowspan: 2}, first), [...spans].map(([group, span]) => make("th", {scope: "colgroup", colspan: span}, group)),
      last && make("th", {scope: "col", rowspan: 2}, last)),
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

/** What came of a variant, as the cells of a row: for some columns, or for a spelling. */
function outcomeRow(variant, outcome, labels, spelled) {
  const verdict = data.verdicts[outcome.verdict], details = outcome.details;
  const letter = variant.results.length > 1 && outcome.result >= 0 ? make("span", {class: "letter"}, String.fromCharCode(65 + outcome.result % 26)) : "";
  const reason = text(details.reason);
  return make("tr", null,
    make("th", {scope: "row"}, labels.map(label => make("div", null, label))),
    make("td", {class: verdict}, tally(verdict, verdict)),
    make("td", {class: "got"}, letter, outcome.result >= 0 ? variant.results[outcome.result].join(": ") : text(details.raised) || "nothing"),
    make("td", {class: "number"}, short(outcome.ulp), make("br"), make("small", null, outcome.budget === undefined || outcome.budget === null ? "" : `of ${short(outcome.budget)}`)),
    make("td", null, outcome.at ? make("code", null, `[${outcome.at}`.replace(/( of step .*)?$/, "]$1")) : "–"),
    spelled ? "" : make("td", {class: "number"}, short(outcome.whole)),
    make("td", null, reason ? make("div", null, reason) : "", details.link ? make("div", {class: "why"}, link(text(details.link))) : "", findings(details)));
}

function outcomeTable(heads, caption, ...bodies) {
  return make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${heads[0]}`}, make("table", null,
    make("caption", null, ...caption),
    make("thead", null, make("tr", null, heads.map(head => make("th", {scope: "col"}, head)))),
    ...bodies));
}

/** Every other spelling's outcome, under its backend. */
function spelledTable(variant) {
  const found = new Map();
  for (const [number, outcome] of others(variant)) {
    const {group, name} = spelling(number);
    found.set(group, [...found.get(group) || [], outcomeRow(variant, outcome, [name], true)]);
  }
  return found.size ? outcomeTable(["Other spellings", "Verdict", "Result", "Error, ULP", "at", "Why"], ["What came of the other spellings of the operation, each in its backend’s plain mode"],
    ...[...found].map(([group, rows]) => make("tbody", null, make("tr", null, make("th", {class: "band", scope: "rowgroup", colspan: 6}, group)), rows))) : "";
}

function answers(variant) {
  return variant.answers.map(([kind, value, decimals, backends]) => make("div", null,
    make("code", null, `${text(kind)}: ${value}`),
    backends ? make("small", null, ` (${backends.join(", ")})`) : "",
    decimals.length ? make("div", null, make("small", null, "before rounding: "), make("code", null, decimals.join(", "), value.split(", ").length > decimals.length ? ", …" : "")) : ""));
}

function repeat(variant) {
  const recorded = data.columns.map((column, i) => ({...column, outcome: outcomeOf(variant, i)})).filter(column => column.outcome);
  const fine = column => !column.outcome || ["passed", "unsupported"].includes(data.verdicts[column.outcome.verdict]);
  const worst = recorded.find(column => !fine(column)) || recorded[0];
  const beside = new Map(others(variant).map(([number]) => spelling(number)).filter(one => one.mode)
    .map(one => [one.group, {...one, label: `${one.group} other spellings`}]));
  recorded.push(...beside.values());
  const shown = make("code");
  const choice = make("select", {"aria-label": "Backend and mode of the command", change: () => show()},
    recorded.map((column, i) => make("option", {value: i, selected: column === worst}, column.label)));
  const show = () => { shown.textContent = recorded.length ? command(variant, recorded[choice.value]) : ""; };
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
  const rows = variant.outcomes.map(outcome => [outcome, together(data.columns.filter((column, i) => outcomeOf(variant, i) === outcome))])
    .filter(([, labels]) => labels.length).map(([outcome, labels]) => outcomeRow(variant, outcome, labels));
  const absent = data.columns.filter((column, i) => !outcomeOf(variant, i));
  return make("div", {class: "variant", id: "variant"},
    make("h4", {tabindex: "-1"}, make("span", {class: "id"}, variant.id), " ",
      copyButton("Copy link", "Link", () => `${location.href.split("#")[0]}#v=${encodeURIComponent(variant.id)}`)),
    list,
    outcomeTable(["Backend and mode", "Verdict", "Result", "Error, ULP", "at", "End to end, ULP", "Why"], ["Columns with the same outcome share a row", variant.results.length > 1 ? "; results with the same letter have the same bits" : ""],
      make("tbody", null, rows)),
    spelledTable(variant),
    absent.length ? make("p", {class: "hint"}, "No record: ", absent.map(column => column.label + (column.missing ? " (the run is incomplete)" : column.because ? ` (not in this mode’s subset, because ${column.because})` : "")).join("; ")) : "",
    repeat(variant));
}
