// What variants are found by: a few characters for each record, read into arrays of numbers once.

const index = await unpack(content("index"));
const first = 0x23;  // the character that stands for 0

const numbers = characters => {
  const codes = new Uint16Array(characters.length);
  for (let i = 0; i < characters.length; i++) codes[i] = characters.charCodeAt(i) - first;
  return codes;
};

const width = index.columns.length, total = index.labels.length;
const [dtypeOf, flagOf, truthOf, offOf, storyAt, ulpAt] = ["dtype", "flag", "truth", "offset", "story", "ulp"].map(name => numbers(index[name]));
const caseOf = new Uint32Array(total), recordsOf = new Uint32Array(total + 1);
const cases = index.cases.map(([id, operation, call, claim, count, spelled]) => ({id, operation: index.operations[operation], call, claim, count, spelled, start: 0}));
let variantsSoFar = 0, recordsSoFar = 0;
cases.forEach((home, number) => {
  home.number = number;
  home.start = variantsSoFar;
  for (let i = 0; i < home.count; i++, variantsSoFar++) {
    caseOf[variantsSoFar] = number;
    recordsOf[variantsSoFar] = recordsSoFar;
    recordsSoFar += width + home.spelled.length;
  }
});
recordsOf[total] = recordsSoFar;

const idOf = i => Array.isArray(index.labels[i]) ? index.labels[i][0] : cases[caseOf[i]].id + index.labels[i];
const labelOf = i => Array.isArray(index.labels[i]) ? index.labels[i][0] : index.labels[i].slice(1, -1);
let ids = null;
const allIds = () => ids ??= Array.from({length: total}, (_, i) => idOf(i));
const numberOf = id => allIds().indexOf(id);

/** Another spelling, from the list of them. */
const spelling = number => {
  const [group, operation, name, backend, device, mode, kernels] = index.spellings[number];
  return {group, operation, name, backend, device, mode, kernels, label: `${group}: ${name}`};
};
const hasSpellings = index.spellings.length > 0;

const story = number => {
  const [verdict, channels, reason] = index.stories[number];
  return {verdict: index.verdicts[verdict], channels: channels.map(channel => index.channels[channel]), reason: index.reasons[reason][0], link: index.reasons[reason][1]};
};
const verdictOf = new Uint8Array(index.stories.map(([verdict]) => verdict + 1));  // 0: no record

/** For each entry of a table whether all terms of a field hold of it; null if there is no such term. */
function table(terms, field, entries) {
  const chosen = terms.filter(term => term.field === field);
  return chosen.length ? Uint8Array.from(entries, entry => chosen.every(term => (Array.isArray(entry) ? entry.some(term.test) : term.test(entry)) !== term.not)) : null;
}

const both = (...tables) => {
  const given = tables.filter(Boolean);
  return given.length ? given[0].map((_, i) => given.every(one => one[i]) ? 1 : 0) : null;
};

/** The variants that a query finds, in order; of records it looks at other spellings only if a term asks for them. */
function search({terms}) {
  const stories = index.stories.map((_, i) => i ? story(i) : {verdict: "", channels: [], reason: "", link: ""});
  const byStory = both(table(terms, "verdict", stories.map(s => s.verdict)), table(terms, "channel", stories.map(s => s.channels)), table(terms, "why", stories.map(s => s.reason)));
  const byUlp = table(terms, "ulp", index.numbers);
  const others = terms.some(term => term.field === "spelling");
  const places = others ? index.spellings.map((_, i) => spelling(i)) : index.columns;
  const byPlace = both(table(terms, "backend", places.map(p => [p.group, p.backend])), table(terms, "mode", places.map(p => p.mode || "")), table(terms, "device", places.map(p => p.device || "")),
    others ? table(terms, "spelling", places.map(p => [p.name, p.label])) : null);
  const ofRecords = byStory || byUlp || byPlace || others;
  const byCase = both(table(terms, "op", cases.map(home => home.operation)), table(terms, "case", cases.map(home => home.id)));
  const byDtype = table(terms, "dtype", index.dtypes), byTruth = table(terms, "truth", index.truths), byOff = table(terms, "off", index.off.map(names => names.join(",")));
  const flags = [[1, "different"], [2, "bits"], [4, "gradient"]];
  const byFlag = table(terms, "is", Array.from({length: 8}, (_, flag) => flags.filter(([bit]) => flag & bit).map(([, name]) => name)));
  const words = terms.filter(term => term.field === "id"), names = words.length ? allIds() : null;
  const found = [];
  for (let i = 0; i < total; i++) {
    const home = caseOf[i];
    if (byCase && !byCase[home] || byDtype && !byDtype[dtypeOf[i]] || byTruth && !byTruth[truthOf[i]] || byOff && !byOff[offOf[i]] || byFlag && !byFlag[flagOf[i]]) continue;
    if (names && !words.every(term => term.test(names[i]) !== term.not)) continue;
    if (ofRecords) {
      const start = recordsOf[i] + (others ? width : 0), end = others ? recordsOf[i + 1] : start + width;
      let holds = false;
      for (let at = start; at < end && !holds; at++) {
        const told = storyAt[at];
        holds = told && !(byStory && !byStory[told]) && !(byUlp && !byUlp[ulpAt[at]]) && !(byPlace && !byPlace[others ? cases[home].spelled[at - start] : at - start]);
      }
      if (!holds) continue;
    }
    found.push(i);
  }
  return found;
}

/** Why a query that finds nothing can't find anything: a value that nothing here has. Empty if there is no such term. */
function unknownValue({terms}) {
  const each = (entries, name) => [...new Set(entries.map(name))].filter(Boolean);
  const places = [...index.columns, ...index.spellings.map((_, i) => spelling(i))];
  const known = {
    op: each(cases, home => home.operation), dtype: index.dtypes, truth: index.truths, off: index.off.map(names => names.join(",")), verdict: index.verdicts, channel: index.channels,
    backend: [...each(places, p => p.backend), ...each(places, p => p.group)], mode: each(places, p => p.mode), device: each(places, p => p.device), is: ["different", "bits", "gradient"],
  };
  for (const {field, value, test} of terms.filter(term => !term.not)) {
    if (known[field] && !known[field].some(test)) return `nothing matches “${field}:${value}”${instead(value, [...new Set(known[field])].filter(Boolean))}`;
    if (field === "id" && !allIds().some(test)) {  // users know functions by the names that frameworks give them
      const port = [...document.querySelectorAll("[id^=port-] > summary")].find(summary => test(summary.textContent));
      return `no ID holds “${value}”${port ? `; did you mean “op:${port.parentElement.id.slice(5)}”?` : ""}`;
    }
  }
  return "";
}

// The packets with the full accounts; each is unpacked when it is first looked into.
const packets = content("packets").split("\n");
const perPacket = index.perPacket, opened = new Map();
let shared = null;  // what all packets share

async function packet(number) {
  if (!opened.has(number)) opened.set(number, unpack(packets[number]));
  return opened.get(number);
}

/** A script from its parts; the title is as `conformance.reproduction.title` makes it. */
function joined([frame, body, measured], bodies, all, texts, id) {
  const [inputs, call, shown, closing] = bodies[body].map(number => texts[number]);
  const plain = id.split(/\s+/u).filter(Boolean).join(" ").replace(/[^ -\x7e]|\\/gu, letter => {
    const code = letter.codePointAt(0), hex = code.toString(16);
    return letter === "\\" ? "\\\\" : code < 0x100 ? `\\x${hex.padStart(2, "0")}` : code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
  return `${[...all.frames[frame].map(number => all.texts[number]), `\n\n# Variant ${plain}`, inputs, call, shown, texts[measured], closing].filter(Boolean).join("\n")}\n`;
}

/** The full account of a variant: its own lines, and the texts that they number. */
async function lines(i) {
  shared ??= unpack(content("shared"));
  const {texts, variants} = await packet(Math.floor(i / perPacket));
  const [inputs, answers, expected, source, codes, outcomes, kinds, results, pictures, scripts] = variants[i % perPacket];
  const home = cases[caseOf[i]], all = await shared;
  return {
    i, id: idOf(i), home, text: number => texts[number] || "", inputs: texts[inputs], answers, expected: texts[expected], source: all.texts[source], codes, pictures,
    scripts: (scripts[1] || []).map(one => typeof one === "number" ? {why: texts[one], code: ""} : {why: "", code: joined(one, scripts[0], all, texts, idOf(i))}),
    results: results.map((elements, at) => [texts[Array.isArray(kinds) ? kinds[at] : kinds], elements]),
    outcomes: outcomes.map(([result, budget, at, whole, details], number) => {
      const place = recordsOf[i] + codes.indexOf(String.fromCharCode(48 + number));
      return {...story(storyAt[place]), ulp: index.numbers[ulpAt[place]], result, budget, at, whole, details: details || {}};
    }),
  };
}

/** A case's path, YAML and what it is about. */
async function told(home) {
  const {cases: here} = await packet(Math.floor(home.start / perPacket));
  const [path, yaml, about] = here[home.number];
  return {path, yaml, about};
}
