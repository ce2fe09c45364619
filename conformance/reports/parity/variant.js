// The full account of one variant.

const glyphs = {passed: "✓", failed: "✗", divergent: "≠", unsupported: "–", crashed: "‼", "timed-out": "⋯", "not-run": "○"};
const truths = {
  arithmetic: "exact arithmetic", document: "exact arithmetic, and what the document printed", convention: "a stated convention, at least for some elements",
  stated: "values that the case states, with the reason", refusal: "that the call must be refused", claim: "a claim about computed values",
};

function tally(verdict, words) {
  return make("span", {class: `tally ${verdict}`}, make("span", {"aria-hidden": "true"}, glyphs[verdict]), ` ${words}`);
}

/** A number of three digits as people write it; the file has rounded it already. */
function short(number) {
  if (number === undefined || number === null) return "–";
  return Math.abs(number) < 1e6 ? String(number) : number.toExponential(1);
}

const inShell = words => `'${words.replaceAll("'", "'\\''")}'`;

function command(id, column) {
  const device = column.device === "cpu" ? "" : ` --device ${column.device}`;
  const kernels = column.kernels ? ` --kernels ${column.kernels}` : "";
  return `conformance run --variant ${inShell(id)} --backend ${column.backend} --mode ${column.mode}${device}${kernels}`;
}

const outcomeAt = (variant, place) => variant.codes[place] === "." ? null : variant.outcomes[variant.codes.charCodeAt(place) - 48];

/** The other spellings that have a record of a variant, each with its number and its outcome. */
function others(variant) {
  return variant.home.spelled.map((number, i) => [number, outcomeAt(variant, width + i)]).filter(([, outcome]) => outcome);
}

/** Columns in words, the modes of a backend together. */
function together(columns) {
  const modes = new Map();
  for (const column of columns) modes.set(column.group, [...modes.get(column.group) || [], column.mode]);
  return [...modes].map(([group, names]) => `${group} ${names.join(", ")}`);
}

function link(words) {
  return words.startsWith("https://") ? make("a", {href: words, rel: "noopener noreferrer"}, words) : words;
}

function findings(variant, details) {
  return (details.findings || []).map(finding => {
    const [channel, expected, got, detail] = finding.map(variant.text);
    return make("div", {class: "finding"}, make("b", null, channel), `: expected ${expected}, got ${got}`, detail && make("div", null, make("small", null, detail)));
  });
}

const letter = result => String.fromCharCode(65 + result % 26);

/** What came of a variant, as the cells of a row: for some columns, or for a spelling. */
function outcomeRow(variant, outcome, labels, spelled) {
  const {verdict, reason, details} = outcome;
  const mark = variant.results.length > 1 && outcome.result >= 0 ? make("span", {class: "letter"}, letter(outcome.result)) : "";
  return make("tr", null,
    make("th", {scope: "row"}, labels.map(label => make("div", null, label))),
    make("td", {class: verdict}, tally(verdict, verdict)),
    make("td", {class: "got"}, mark, outcome.result >= 0 ? variant.results[outcome.result].join(": ") : variant.text(details.raised) || "nothing"),
    make("td", {class: "number"}, short(outcome.ulp), make("br"), make("small", null, outcome.budget === undefined || outcome.budget === null ? "" : `of ${short(outcome.budget)}`)),
    make("td", null, outcome.at ? make("code", null, `[${outcome.at}`.replace(/( of step .*)?$/, "]$1")) : "–"),
    spelled ? "" : make("td", {class: "number"}, short(outcome.whole)),
    make("td", null, reason ? make("div", null, reason) : "", outcome.link ? make("div", {class: "why"}, link(outcome.link)) : "", findings(variant, details)));
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
  const off = others(variant).filter(([, outcome]) => !["passed", "unsupported"].includes(outcome.verdict)).length;
  const table = () => outcomeTable(["Other spellings", "Verdict", "Result", "Error, ULP", "at", "Why"], ["What came of the other spellings of the operation, each in its backend’s plain mode"],
    ...[...found].map(([group, rows]) => make("tbody", null, make("tr", null, make("th", {class: "band", scope: "rowgroup", colspan: 6}, group)), rows)));
  return found.size ? make("details", {class: "still"}, make("summary", null, `${others(variant).length} other spellings, ${off || "none"} of them off`), table()) : "";
}

function answers(variant) {
  return variant.answers.map(([kind, value, decimals, backends]) => make("div", null,
    make("code", null, `${variant.text(kind)}: ${value}`),
    backends ? make("small", null, ` (${backends.join(", ")})`) : "",
    decimals.length ? make("div", null, make("small", null, "before rounding: "), make("code", null, decimals.join(", "), value.split(", ").length > decimals.length ? ", …" : "")) : ""));
}

// What a letter of a picture stands for: up to so many ULP.
const sizes = {a: "up to 1", b: "up to 2", c: "up to 4", d: "up to 16", e: "up to 256", f: "more than 256"};

/** Where a result is off and how far: a cell for each element, or for some in a row; in words for those who don't see it. */
function drawn(variant, columns, number) {
  if (!variant.pictures[number]) return "";
  const [across, rows, run, cells] = variant.pictures[number].split(" "), side = 12;
  const counts = new Map();
  for (const cell of cells) counts.set(cell.toLowerCase(), (counts.get(cell.toLowerCase()) || 0) + 1);
  const unit = run === "1" ? "element" : `run of ${run} elements`;
  const words = [...counts].sort().map(([cell, count]) => `${count} ${unit}${count === 1 ? "" : "s"} ${cell === "0" ? "correctly rounded" : cell === "!" ? "not a number, or not one where there must be" : `off by ${sizes[cell]} ULP`}`.replace("elementss", "elements")).join(", ");
  const shapes = [...cells].map((cell, i) => {
    const x = i % across * side, y = Math.floor(i / across) * side, low = cell !== cell.toLowerCase();
    return [make("svg:rect", {x: x + 0.5, y: y + 0.5, width: side - 1, height: side - 1, class: `e${cell === "!" ? "x" : cell.toLowerCase()}`}),
      cell === "0" ? "" : cell === "!" ? make("svg:path", {d: `M${x + 3} ${y + 3}l6 6m0-6l-6 6`}) : make("svg:path", {d: low ? `M${x + 3} ${y + 6}h6` : `M${x + 3} ${y + 6}h6m-3-3v6`})];
  });
  return make("figure", {class: "errors"},
    make("svg:svg", {viewBox: `0 0 ${across * side} ${rows * side}`, width: across * side, height: rows * side, role: "img", "aria-label": `Errors of ${columns.join(", ")}: ${words}`}, shapes),
    make("figcaption", null, variant.results.length > 1 ? make("b", null, `${letter(number)} `) : "", `${columns.join(" · ")}: ${words}. `));
}

function pictures(variant) {
  const found = variant.results.map((_, number) => {
    const places = index.columns.filter((column, i) => outcomeAt(variant, i)?.result === number);
    return places.length ? drawn(variant, together(places), number) : "";
  }).filter(Boolean);
  return found.length ? make("div", {class: "pictures"}, found, make("p", {class: "hint"}, "A cell an element, the last axis across; + too large, − too small, darker is further off, against the rounded exact value.")) : "";
}

/** Who is off, and who gives the same bits as whom. */
function blame(variant) {
  const plain = new Map();  // the plain mode of each backend comes first
  index.columns.forEach((column, i) => { if (!plain.has(column.group)) plain.set(column.group, outcomeAt(variant, i)); });
  const judged = [...plain].filter(([, outcome]) => outcome && !["unsupported", "not-run"].includes(outcome.verdict));
  const off = judged.filter(([, outcome]) => outcome.verdict !== "passed").map(([group]) => group);
  const same = new Map();
  for (const [group, outcome] of judged) if (outcome.result >= 0) same.set(outcome.result, [...same.get(outcome.result) || [], group]);
  const agreeing = [...same.values()].filter(groups => groups.length > 1).map(groups => `${groups.join(" and ")} agree bit for bit`);
  const who = !judged.length ? "" : off.length ? `${off.join(", ")} ${off.length === 1 ? "is" : "are"} off${judged.length > off.length ? `, ${judged.map(([group]) => group).filter(group => !off.includes(group)).join(", ")} not` : ""}` : judged.length > 1 ? "nobody is off" : "";
  return [who, ...agreeing].filter(Boolean).join("; ");
}

/** The command that repeats a result, and the script that does so without this suite. */
function repeat(variant) {
  const recorded = index.columns.map((column, i) => ({...column, outcome: outcomeAt(variant, i), script: variant.scripts[i] || {why: "", code: ""}})).filter(column => column.outcome);
  const fine = column => ["passed", "unsupported"].includes(column.outcome.verdict);
  const worst = recorded.find(column => !fine(column)) || recorded[0];
  for (const [number] of others(variant)) {
    const one = spelling(number);
    if (one.mode) recorded.push({...one, script: {why: "", code: "", command: `conformance repro ${inShell(variant.id)} --backend ${one.backend} --mode ${one.mode} --idiom ${inShell(one.name)}`}});
  }
  const line = make("code"), source = make("code"), why = make("p", {class: "hint"});
  const script = make("details", {class: "script"}, make("summary", null, "A script that needs nothing but the framework"), make("pre", {tabindex: "0"}, source));
  const copied = copyButton("Copy script", "Script", () => source.textContent);
  const choice = make("select", {"aria-label": "What to repeat", change: () => show()}, recorded.map((column, i) => make("option", {value: i, selected: column === worst}, column.label)));
  const show = () => {
    const one = recorded[choice.value];
    line.textContent = one ? command(variant.id, one) : "";
    source.textContent = one?.script.code ?? "";
    script.hidden = copied.hidden = !source.textContent;
    why.textContent = one?.script.why ? `There is no script: ${one.script.why}` : "";
    why.replaceChildren(why.textContent, one?.script.command ? make("code", null, `${one.script.command} > script.py`) : "");
  };
  show();
  return make("div", {class: "repeating"},
    make("div", {class: "repeat"}, make("span", null, "Repeat it:"), choice, make("pre", {tabindex: "0"}, line), copyButton("Copy", "Command", () => line.textContent, "Copy the command"), copied),
    script, why);
}

/** Everything the runs hold about a variant. */
function account(variant) {
  const {home} = variant, gradient = flagOf[variant.i] & 4;
  const list = make("dl", null);
  const tell = (term, ...content) => { if (content.flat().some(Boolean)) list.append(make("dt", null, term), make("dd", null, ...content)); };
  tell(home.claim ? "Claim" : "Call", make("code", null, home.call));
  tell("Inputs", variant.inputs && make("pre", null, variant.inputs));
  tell("Expected", variant.expected);
  tell(gradient ? "Exact gradient" : "Exact answer", answers(variant));
  tell("Truth rests on", truths[index.truths[truthOf[variant.i]]]);
  tell("Budget from", variant.source);
  tell("Who is off", blame(variant));
  const rows = variant.outcomes.map(outcome => [outcome, together(index.columns.filter((column, i) => outcomeAt(variant, i) === outcome))])
    .filter(([, labels]) => labels.length).map(([outcome, labels]) => outcomeRow(variant, outcome, labels));
  const absent = index.columns.filter((column, i) => !outcomeAt(variant, i));
  return make("div", {class: "variant"},
    make("h4", {tabindex: "-1"}, make("span", {class: "id"}, variant.id), " ",
      copyButton("Copy link", "Link", () => `${location.href.split("#")[0]}#v=${encodeURIComponent(variant.id)}`)),
    list,
    outcomeTable(["Backend and mode", "Verdict", "Result", "Error, ULP", "at", "End to end, ULP", "Why"], ["Columns with the same outcome share a row", variant.results.length > 1 ? "; results with the same letter have the same bits" : ""],
      make("tbody", null, rows)),
    pictures(variant),
    absent.length ? make("p", {class: "hint"}, "No record: ", absent.map(column => column.label + (column.missing ? " (the run is incomplete)" : column.because ? ` (not in this mode’s subset, because ${column.because})` : "")).join("; ")) : "",
    repeat(variant),
    spelledTable(variant));
}
