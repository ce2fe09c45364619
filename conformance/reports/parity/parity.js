// What is shown, and the address that says so: #q=QUERY&v=VARIANT.

const state = {q: "", v: ""};
const quick = [  // a button each; pressed, its term stands in the query
  ["Failed", "verdict:failed|crashed|timed-out"], ["Divergent", "verdict:divergent"], ["Unsupported", "verdict:unsupported"],
  ["Backends differ", "is:different"], ["Bits differ", "is:bits"], ...(hasSpellings ? [["Other spellings", "spelling:*"]] : []),
];

function readAddress() {
  const hash = location.hash.slice(1);
  if (!/^[qv]=/.test(hash)) return false;  // a part of the page, or nothing
  const values = new Map(hash.split("&").map(pair => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
  for (const name of Object.keys(state)) {
    try { state[name] = decodeURIComponent(values.get(name) ?? ""); } catch { state[name] = ""; }
  }
  return true;
}

/** Put the state into the address; `step` makes it one that the browser's Back button returns from. */
function writeAddress(step = false) {
  const hash = `#${Object.entries(state).filter(([, value]) => value).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&") || "q="}`;
  if (hash !== location.hash) history[step ? "pushState" : "replaceState"](null, "", hash);
}

/** The query without the terms of the buttons, and which of those it had. */
function parts() {
  let rest = ` ${state.q} `;
  const pressed = quick.filter(([, words]) => rest.includes(` ${words} `));
  for (const [, words] of pressed) rest = rest.replace(` ${words} `, " ");
  return {rest: rest.trim(), pressed};
}

function buttons() {
  const place = document.getElementById("quick"), {rest, pressed} = parts();
  const set = words => { Object.assign(state, {q: [rest, ...words].filter(Boolean).join(" "), v: ""}); return render(true); };
  place.replaceChildren(
    make("button", {type: "button", "aria-pressed": String(!pressed.length), click: async () => { await set([]); place.querySelector("button").focus(); }}, "All"),
    ...quick.map((one, i) => make("button", {type: "button", "aria-pressed": String(pressed.includes(one)), click: async () => {
      await set(quick.filter(other => (other === one) !== pressed.includes(other)).map(([, words]) => words));
      place.querySelectorAll("button")[i + 1].focus();
    }}, one[0], " ", make("small", {"data-count": i}, counts[i] === undefined ? "" : counts[i].toLocaleString("en")))));
}

// How many variants of the whole corpus each button is about; counted when there is time.
const counts = [];
(window.requestIdleCallback || setTimeout)(() => quick.forEach(([, words], i) => {
  counts[i] = search(parse(words)).length;
  document.querySelector(`[data-count="${i}"]`)?.replaceChildren(counts[i].toLocaleString("en"));
}));

async function render(step = false) {
  const target = state.v ? numberOf(state.v) : -1;
  let parsed = parse(state.q), found = parsed.problem ? [] : search(parsed);
  if (target >= 0 && !found.includes(target)) {  // a link to a variant is about that
    state.q = "";
    parsed = parse("");
    found = search(parsed);
  }
  const shown = show(found, parsed.terms.some(one => one.field === "spelling"), target);
  if (query.value !== state.q) query.value = state.q;
  query.setAttribute("aria-invalid", String(Boolean(parsed.problem)));
  buttons();
  const why = found.length || parsed.problem ? "" : unknownValue(parsed);
  document.getElementById("found").textContent = parsed.problem
    || (state.v && target < 0 ? `No variant is called ${state.v}. ` : "") + `${found.length.toLocaleString("en")} of ${total.toLocaleString("en")} variants in ${shown.cases.toLocaleString("en")} ${shown.cases === 1 ? "case" : "cases"}${why && `: ${why}`}`;
  if (shown.wanted) {
    const row = await shown.wanted.build(target);
    shown.wanted.open = true;
    await row?.open();
  }
  writeAddress(step);
}

let pause = 0;
query.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => { state.q = query.value; state.v = ""; render(); }, 120);
});

// Keyboard: / to the query, arrows through what is listed, Enter opens, Escape leaves.
const stops = () => [query, ...list.querySelectorAll(".stop")].filter(element => element.offsetParent && !element.closest("details:not([open]) > :not(summary)"));
addEventListener("keydown", event => {
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    query.focus();
    query.select();
  } else if (["ArrowDown", "ArrowUp"].includes(event.key) && !event.altKey && !event.ctrlKey && (event.target === query || event.target.matches("#cases .stop"))) {
    const all = stops(), next = all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({block: "nearest"}); }
  } else if (event.key === "Enter" && event.target === query) {
    event.preventDefault();
    clearTimeout(pause);
    state.q = query.value;
    state.v = "";
    render(true).then(() => stops()[1]?.focus());
  } else if (event.key === "Escape" && list.contains(event.target)) {
    const open = event.target.closest("td.opened")?.parentElement.previousElementSibling?.querySelector("button") ?? (event.target.matches("[aria-expanded=true]") ? event.target : null);
    if (open) { open.click(); open.focus(); } else query.focus();
  }
});

function follow() {
  if (!readAddress()) {
    if (location.hash.length > 1) unfold(namedPart());
    else if (state.q || state.v) {  // back to where the page was opened
      Object.assign(state, {q: "", v: ""});
      render();
    }
    return;
  }
  render().then(() => { if (!state.v) document.getElementById("variants").scrollIntoView(); });
}

copyButtons(document);
sortable(document);
explorer.hidden = false;
addEventListener("hashchange", follow);
const before = location.href, named = readAddress();
await render();
if (named) { if (!state.v) document.getElementById("variants").scrollIntoView(); }
else { history.replaceState(null, "", before); follow(); }
