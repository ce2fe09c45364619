// The list of cases and variants, its filters, and the address that says what is shown.

const groups = [
  ["", "All", () => true],
  ["failed", "Failed", (v, some) => some("failed") || some("crashed") || some("timed-out")],
  ["divergent", "Divergent", (v, some) => some("divergent")],
  ["unsupported", "Unsupported", (v, some) => some("unsupported")],
  ["differs", "Backends differ", v => v.differs],
  ["bits", "Bits differ", v => v.distinct > 1],
];
const single = ["crashed", "timed-out", "not-run", "passed"];  // filters that only links ask for
const chunk = 100;
const state = {is: "", q: "", op: "", col: "", case: "", why: "", ch: "", by: "", v: ""};  // by: other spellings, all of them or one
const cases = data.cases.map(([id, operation, path, yaml, about, call, claim, variants, spelled]) => {
  const home = {id, operation, path, yaml, about, call, claim, spelled: spelled || []};
  home.variants = variants.map(([part, inputs, answers, expected, source, codes, outcomes, kinds, results, differs]) => ({
    id: typeof part === "string" ? id + part : part[0], label: typeof part === "string" ? part.slice(1, -1) : part[0],
    home, inputs, answers, expected, source, codes, differs,
    results: results.map((elements, i) => [text(Array.isArray(kinds) ? kinds[i] : kinds), elements]),
    outcomes: outcomes.map(([verdict, result, ulp, budget, at, whole, details]) => ({verdict, result, ulp, budget, at, whole, details: details || {}})),
  }));
  for (const variant of home.variants) {
    variant.primary = data.columns.map((column, i) => outcomeOf(variant, i)).filter(Boolean);
    variant.distinct = new Set(variant.primary.map(outcome => outcome.result).filter(result => result >= 0)).size;
  }
  return home;
});
const variants = new Map(cases.flatMap(home => home.variants.map(variant => [variant.id, variant])));
const explorer = document.getElementById("explorer"), list = document.getElementById("cases"), query = document.getElementById("query");

function readAddress() {
  const hash = location.hash.slice(1);
  if (!hash.includes("=")) return false;  // a part of the page, or nothing
  for (const name of Object.keys(state)) state[name] = "";
  for (const pair of hash.split("&")) {
    const [name, ...value] = pair.split("=");
    if (!(name in state)) continue;
    try { state[name] = decodeURIComponent(value.join("=")); } catch { state[name] = ""; }
  }
  return true;
}

function writeAddress() {
  const hash = Object.entries(state).filter(([, value]) => value).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  history.replaceState(null, "", hash ? `#${hash}` : "#variants");
}

/** The one spelling that is looked at, if it is one. */
const chosen = () => /^\d+$/.test(state.by) && data.spellings[state.by];

/** The outcomes that filters look at: of the primary spellings, unless others are asked for, or there are no primary ones. */
function reach(variant) {
  if (state.by === "" && variant.primary.length) return variant.primary;
  return others(variant).filter(([number]) => ["", "other", String(number)].includes(state.by)).map(([, outcome]) => outcome);
}

/** Whether a variant is wanted; every filter looks at the chosen column only, if one is chosen. */
function wanted(variant, words, test) {
  if (state.case && variant.home.id !== state.case || state.op && variant.home.operation !== state.op) return false;
  const id = variant.id.toLowerCase();
  if (!words.every(word => id.includes(word))) return false;
  const outcomes = state.col === "" ? reach(variant) : [outcomeOf(variant, Number(state.col))].filter(Boolean);
  const fits = outcomes.filter(o => (!state.why || text(o.details.reason) === state.why)
    && (!state.ch || text((o.details.findings || [[]])[0][0]) === state.ch));
  return fits.length > 0 && test(variant, verdict => fits.some(o => data.verdicts[o.verdict] === verdict));
}

function test() {
  const known = groups.find(([name]) => name === state.is);
  return known ? known[2] : (variant, some) => some(state.is);
}

function cell(outcome, absent) {
  if (!outcome) return make("td", {class: "none"}, make("small", null, absent));
  const verdict = data.verdicts[outcome.verdict];
  const error = outcome.ulp === undefined || outcome.ulp === null ? "" : short(outcome.ulp);
  if (verdict === "passed") return make("td", {class: verdict}, tally(verdict, error), make("span", {class: "unseen"}, " passed"));
  return make("td", {class: verdict}, tally(verdict, verdict), error && make("small", null, error));
}

/** The tallies of some outcomes. */
function tallies(outcomes) {
  const counts = new Map();
  for (const outcome of outcomes) counts.set(outcome.verdict, (counts.get(outcome.verdict) || 0) + 1);
  return [...counts].sort(([a], [b]) => a - b).map(([verdict, count]) => {
    const name = data.verdicts[verdict];
    return [tally(name, `${count.toLocaleString("en")}${name === "passed" ? "" : ` ${name}`}`), " "];
  });
}

/** The cell for the chosen spelling, or for all others. */
function besideCell(variant) {
  const found = others(variant);
  if (chosen()) return cell((found.find(([number]) => number === Number(state.by)) || [])[1], "not for this one");
  return make("td", null, found.length ? tallies(found.map(([, outcome]) => outcome)) : make("small", {class: "none"}, "none"));
}

function variantRow(variant) {
  const button = make("button", {type: "button", "aria-expanded": "false", click: () => toggle()}, variant.label || variant.id);
  const row = make("tr", null, make("th", {scope: "row"}, button), data.columns.map((column, i) => cell(outcomeOf(variant, i), column.missing ? "no record" : "not in subset")),
    data.spellings.length ? besideCell(variant) : "");
  let detail = null;
  const toggle = () => {
    if (detail) { detail.remove(); detail = null; }
    else {
      detail = make("tr", null, make("td", {class: "opened", colspan: data.columns.length + 1 + (data.spellings.length ? 1 : 0)}, account(variant)));
      row.after(detail);
    }
    button.setAttribute("aria-expanded", String(Boolean(detail)));
    state.v = detail ? variant.id : "";
    writeAddress();
  };
  row.open = () => { if (!detail) toggle(); button.focus({preventScroll: true}); row.scrollIntoView({block: "start"}); };
  return row;
}

/** What a case's fold holds: how it reads, and its variants a row each. Built when it is first opened. */
function caseBody(home, found, target) {
  const body = make("tbody");
  let shown = 0;
  const more = make("button", {type: "button", click: () => grow(chunk)});
  const grow = count => {
    const rows = found.slice(shown, shown + count).map(variant => [variant, variantRow(variant)]);
    body.append(...rows.map(([, row]) => row));
    shown += rows.length;
    more.textContent = `Show ${Math.min(chunk, found.length - shown)} more of ${found.length - shown}`;
    more.hidden = shown >= found.length;
    return rows;
  };
  const rows = grow(Math.max(chunk, found.indexOf(target) + 1));
  return [[
    home.about && make("p", null, home.about),
    make("details", null, make("summary", null, "YAML ", make("small", null, home.path)), make("pre", null, make("code", null, home.yaml))),
    make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: variants of ${home.id}`}, make("table", {class: "rows"},
      make("caption", null, "Variants; ✓ stands for passed, a number is the error in ULP of the element nearest its budget"),
      heads("Variant", data.spellings.length ? chosen() ? spelling(state.by).label : "Other spellings" : ""), body)),
    make("p", null, more)], rows.find(([variant]) => variant === target)?.[1]];
}

function caseFold(home, found) {
  const outcomes = found.flatMap(variant => state.by || !variant.primary.length ? reach(variant) : variant.primary);
  const number = found.length === home.variants.length ? `${found.length}` : `${found.length} of ${home.variants.length}`;
  const fold = make("details", {class: "case"}, make("summary", null,
    make("span", {class: "title"}, home.id), " ", make("code", null, home.call), " ",
    make("small", null, `${number} ${found.length === 1 && number === "1" ? "variant" : "variants"}`), " ", make("span", {class: "chips"}, tallies(outcomes))));
  let built = null;
  fold.build = target => {
    if (!built) {
      built = caseBody(home, found, target);
      fold.append(...built[0].filter(Boolean));
    }
    return built[1];
  };
  fold.addEventListener("toggle", () => { if (fold.open) fold.build(); });
  return fold;
}

function buttons() {
  const place = document.getElementById("verdict-buttons");
  const all = [...variants.values()];
  const chosen = state.is && !groups.some(([name]) => name === state.is) && single.includes(state.is) ? [[state.is, state.is, (v, some) => some(state.is)]] : [];
  place.replaceChildren(...[...groups, ...chosen].map(([name, label, holds]) => {
    const count = all.filter(v => reach(v).length && holds(v, verdict => reach(v).some(o => data.verdicts[o.verdict] === verdict))).length;
    return make("button", {type: "button", "aria-pressed": String(state.is === name), "data-is": name, click: () => {
      Object.assign(state, {is: name, why: "", ch: "", v: ""});
      render();
      place.querySelector(`[aria-pressed="true"]`)?.focus();
    }}, `${label} ${count.toLocaleString("en")}`);
  }));
}

/** What links narrowed the list to, each with a way out. */
function narrowed() {
  const names = {op: "operation", col: "column", case: "case", why: "reason", ch: "first channel", by: "spelling"};
  const chips = Object.entries(names).filter(([name]) => state[name] !== "").map(([name, label]) => {
    const value = name === "col" ? data.columns[Number(state.col)]?.label ?? "none" : name === "by" && chosen() ? spelling(state.by).label : state[name];
    return make("button", {type: "button", "aria-label": `Drop the filter: ${label} ${value}`, click: () => { state[name] = ""; state.v = ""; render(); query.focus(); }},
      `${label}: ${value.length > 60 ? `${value.slice(0, 60)}…` : value} ×`);
  });
  document.getElementById("narrowed").replaceChildren(...chips.flatMap(chip => [chip, " "]));
}

function render() {
  let target = variants.get(state.v);
  const words = () => state.q.toLowerCase().split(/\s+/).filter(Boolean);
  if (target && !wanted(target, words(), test())) Object.assign(state, {is: "", q: "", op: "", col: "", case: "", why: "", ch: "", by: ""});
  const holds = test(), sought = words(), folds = [];
  let count = 0, operation = null, wantedFold = null;
  const byOperation = [...new Set(cases.map(home => home.operation))].flatMap(name => cases.filter(home => home.operation === name));
  for (const home of byOperation) {
    const found = home.variants.filter(variant => wanted(variant, sought, holds));
    if (!found.length) continue;
    if (home.operation !== operation) folds.push(make("h3", null, operation = home.operation));
    count += found.length;
    const fold = caseFold(home, found);
    if (target?.home === home) wantedFold = fold;
    folds.push(fold);
  }
  list.replaceChildren(...folds);
  query.value = state.q;
  buttons();
  beside?.setAttribute("aria-pressed", String(state.by === "other"));
  narrowed();
  const shownCases = folds.filter(fold => fold.build);
  document.getElementById("found").textContent = state.v && !target
    ? `No variant is called ${state.v}; all ${count.toLocaleString("en")} are listed`
    : `${count.toLocaleString("en")} of ${variants.size.toLocaleString("en")} variants in ${shownCases.length} ${shownCases.length === 1 ? "case" : "cases"}`;
  if (shownCases.length === 1) shownCases[0].open = true;
  if (wantedFold) {
    const row = wantedFold.build(target);
    wantedFold.open = true;
    row?.open();
  }
  writeAddress();
}

let pause = 0;
query.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => { state.q = query.value; state.v = ""; render(); }, 150);
});

const beside = document.getElementById("beside");
beside?.addEventListener("click", () => { Object.assign(state, {by: state.by === "other" ? "" : "other", col: "", v: ""}); render(); });

/** Open the fold that the address names, if it names one. */
function unfold() {
  let name = "";
  try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
  const named = document.getElementById(name);
  if (named?.matches("details")) { named.open = true; named.scrollIntoView(); }
}

function follow() {
  if (!readAddress()) { unfold(); return; }
  render();
  if (!state.v) document.getElementById("variants").scrollIntoView();
}

const unfolded = [];
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details.still:not([open])")) { fold.open = true; unfolded.push(fold); }
});
addEventListener("afterprint", () => { for (const fold of unfolded.splice(0)) fold.open = false; });

for (const source of document.querySelectorAll(".ports pre")) {
  const spelled = source.closest("tr").querySelector(".name").textContent;
  const button = copyButton("Copy", "Code", () => source.textContent);
  button.className = "copy";
  button.setAttribute("aria-label", `Copy ${spelled} of ${source.closest("details.port").querySelector(".title").textContent}`);
  source.after(button);
}
explorer.hidden = false;
addEventListener("hashchange", follow);
if (location.hash.includes("=")) follow();
else { const before = location.href; render(); history.replaceState(null, "", before); unfold(); }
