// The list of cases and variants that a query finds.

const casesShown = 60, rowsShown = 100;
const explorer = document.getElementById("explorer"), list = document.getElementById("cases"), query = document.getElementById("query");
const inOrder = [...new Set(cases.map(home => home.operation))].flatMap(name => cases.filter(home => home.operation === name));

/** The numbers of the records that a list looks at: of the columns, or of other spellings if a query asks for them. */
function recordsAt(i, beside) {
  const start = recordsOf[i], middle = start + width, end = recordsOf[i + 1];
  return beside ? [middle, end] : [start, middle];
}

/** The tallies of some variants' records. */
function tallies(found, beside) {
  const counts = new Uint32Array(index.verdicts.length + 1);
  for (const i of found) {
    const [start, end] = recordsAt(i, beside);
    for (let at = start; at < end; at++) counts[verdictOf[storyAt[at]]]++;
  }
  return index.verdicts.map((verdict, number) => counts[number + 1] ? [tally(verdict, `${counts[number + 1].toLocaleString("en")} ${verdict}`), " "] : "");
}

function cell(at, absent) {
  if (!storyAt[at]) return make("td", {class: "none"}, make("small", null, absent));
  const verdict = index.verdicts[verdictOf[storyAt[at]] - 1], error = index.numbers[ulpAt[at]];
  if (verdict === "passed") return make("td", {class: verdict}, tally(verdict, error === null ? "" : short(error)), make("span", {class: "unseen"}, " passed"));
  return make("td", {class: verdict}, tally(verdict, verdict), error === null ? "" : make("small", null, short(error)));
}

/** The two head rows of a table with a column for each backend and mode. */
function heads() {
  const spans = new Map();
  for (const column of index.columns) spans.set(column.group, (spans.get(column.group) || 0) + 1);
  return make("thead", null,
    make("tr", null, make("th", {scope: "col", rowspan: 2}, "Variant"), [...spans].map(([group, span]) => make("th", {scope: "colgroup", colspan: span}, group)),
      hasSpellings && make("th", {scope: "col", rowspan: 2}, "Other spellings")),
    make("tr", null, index.columns.map(column => make("th", {scope: "col"}, column.mode))));
}

function variantRow(i) {
  const button = make("button", {type: "button", class: "stop", "aria-expanded": "false", click: () => toggle()}, labelOf(i) || idOf(i));
  const start = recordsOf[i];
  const row = make("tr", null, make("th", {scope: "row"}, button), index.columns.map((column, at) => cell(start + at, column.missing ? "no record" : "not in subset")),
    hasSpellings ? make("td", null, recordsOf[i + 1] > start + width ? tallies([i], true) : make("small", {class: "none"}, "none")) : "");
  let detail = null;
  const toggle = async () => {
    if (detail) { detail.remove(); detail = null; }
    else {
      const place = make("td", {class: "opened", colspan: width + 1 + (hasSpellings ? 1 : 0)});
      row.after(detail = make("tr", null, place));
      const told = account(await lines(i));
      if (!row.isConnected) return;  // another list was asked for in the meantime
      place.append(told);
    }
    button.setAttribute("aria-expanded", String(Boolean(detail)));
    state.v = detail ? idOf(i) : "";
    writeAddress();
  };
  row.open = async () => {
    if (!detail) await toggle();
    button.focus({preventScroll: true});
    row.scrollIntoView({block: "start"});
  };
  return row;
}

/** What a case's fold holds: how it reads, and its variants a row each. Built when it is first opened. */
async function caseBody(home, found, target) {
  const body = make("tbody"), {path, yaml, about} = await told(home);
  let shown = 0;
  const more = make("button", {type: "button", class: "stop", click: () => grow(rowsShown)});
  const grow = count => {
    const rows = found.slice(shown, shown + count).map(i => [i, variantRow(i)]);
    body.append(...rows.map(([, row]) => row));
    shown += rows.length;
    more.textContent = `Show ${Math.min(rowsShown, found.length - shown)} more of ${(found.length - shown).toLocaleString("en")}`;
    more.hidden = shown >= found.length;
    return rows;
  };
  const rows = grow(Math.max(rowsShown, found.indexOf(target) + 1));
  const content = [
    about && make("p", null, about),
    make("details", null, make("summary", null, "YAML ", make("small", null, path)), make("pre", {tabindex: "0"}, make("code", null, yaml))),
    make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: variants of ${home.id}`}, make("table", {class: "rows"},
      make("caption", null, "Variants; ✓ stands for passed, a number is the error in ULP of the element nearest its budget"), heads(), body)),
    make("p", null, more)];
  return {content, row: rows.find(([i]) => i === target)?.[1]};
}

function caseFold(home, found, beside) {
  const number = found.length === home.count ? home.count.toLocaleString("en") : `${found.length.toLocaleString("en")} of ${home.count.toLocaleString("en")}`;
  const fold = make("details", {class: "part case"}, make("summary", {class: "stop"},
    make("span", {class: "title"}, home.id), " ", make("code", null, home.call), " ",
    make("small", null, `${number} ${number === "1" ? "variant" : "variants"}`), " ", make("span", {class: "chips"}, tallies(found, beside || !width))));
  let built = null;
  fold.build = async target => {
    built ??= caseBody(home, found, target).then(body => { fold.append(...body.content.filter(Boolean)); return body; });
    return (await built).row;
  };
  fold.addEventListener("toggle", () => { if (fold.open) fold.build(); });
  return fold;
}

/** Show the variants that were found, some cases at first; gives the fold of the case that holds a variant, if it is among them. */
function show(found, beside, target) {
  const byCase = new Map();
  for (const i of found) {
    const home = cases[caseOf[i]];
    if (!byCase.has(home)) byCase.set(home, []);
    byCase.get(home).push(i);
  }
  const homes = inOrder.filter(home => byCase.has(home));
  let shown = 0, operation = null, wanted = null;
  list.replaceChildren();
  const more = make("button", {type: "button", class: "stop", click: () => grow(casesShown)});
  const grow = count => {
    more.remove();
    for (const home of homes.slice(shown, shown + count)) {
      if (home.operation !== operation) list.append(make("h3", null, operation = home.operation));
      const fold = caseFold(home, byCase.get(home), beside);
      if (target >= 0 && cases[caseOf[target]] === home) wanted = fold;
      list.append(fold);
    }
    shown = Math.min(shown + count, homes.length);
    more.textContent = `Show ${Math.min(casesShown, homes.length - shown)} more of ${(homes.length - shown).toLocaleString("en")} cases`;
    if (shown < homes.length) list.append(more);
  };
  const place = target >= 0 ? homes.indexOf(cases[caseOf[target]]) : -1;
  grow(Math.max(casesShown, place + 1));
  if (homes.length === 1) list.querySelector("details.case").open = true;
  return {cases: homes.length, wanted};
}
