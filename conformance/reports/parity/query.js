// The query language: terms that all have to hold. What it can say is explained in the page (query.html.j2).

const fields = {
  id: "variant", op: "variant", case: "variant", dtype: "variant", is: "variant", off: "variant", truth: "variant",
  verdict: "record", backend: "record", mode: "record", device: "record", channel: "record", why: "record", ulp: "record", spelling: "record",
};
const termPattern = /\s*(?:(-?)(?:([a-z]+)(>=|<=|[:=<>]))?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))|(\S))/suy;
const escapes = {n: "\n", r: "\r"};  // a box of one line holds no line breaks

/** How many letters have to change to make one word of another. */
function distance(a, b) {
  let row = [...b, ""].map((_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

/** What there is instead of a word: the one that was meant, if there is one so near, or all of them. */
function instead(word, known, after = "") {
  const near = known.map(one => [distance(word.toLowerCase(), one.toLowerCase()), one]).sort(([a], [b]) => a - b)[0];
  return near?.[0] <= 2 ? `; did you mean “${near[1]}${after}”?` : known.length ? `; there are ${known.join(", ")}` : "";
}

const unknownField = name => `There is no field “${name}”${instead(name, Object.keys(fields), ":")}`;

/** A pattern as a test of a text: * stands for anything; the text has to match or, if `within`, to hold what matches. */
function pattern(value, within) {
  const sought = within && value.includes("*") ? `*${value.toLowerCase()}*` : value.toLowerCase();
  if (!sought.includes("*")) return within ? text => text.toLowerCase().includes(sought) : text => text.toLowerCase() === sought;
  const pieces = sought.split("*");
  return text => {  // piece by piece, so that no pattern takes long
    const whole = text.toLowerCase();
    if (!whole.startsWith(pieces[0])) return false;
    let at = pieces[0].length;
    for (const piece of pieces.slice(1, -1)) {
      const found = whole.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    const last = pieces[pieces.length - 1];
    return whole.length - last.length >= at && whole.endsWith(last);
  };
}

/** A query as terms {not, field, relation, value, test}, and what is wrong with it, if anything. */
function parse(query) {
  const terms = [];
  termPattern.lastIndex = 0;
  while (termPattern.lastIndex < query.length) {
    const found = termPattern.exec(query);
    if (!found) break;  // only white space is left
    const [whole, minus, name, relation, quoted, plain, odd] = found;
    if (odd) return {terms, problem: "A quotation mark is not closed"};
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/gsu, (_, letter) => escapes[letter] || letter);
    const lacking = quoted === undefined && !name && /^([a-z]+)(>=|<=|[:=<>])$/.exec(plain);
    if (lacking && Object.hasOwn(fields, lacking[1]) && query[termPattern.lastIndex] !== '"') return {terms, problem: `“${plain}” lacks its value`};
    if (name && !Object.hasOwn(fields, name)) {
      if (relation !== "=") return {terms, problem: unknownField(name)};
      terms.push({not: Boolean(minus), field: "id", relation: ":", value: whole.trim().slice(minus.length), test: pattern(whole.trim().slice(minus.length), true)});  // axis=0 is a part of IDs
      continue;
    }
    const field = name || "id";
    if (relation && /[<>]/.test(relation) !== (field === "ulp")) return {terms, problem: field === "ulp" ? "“ulp” is compared: ulp>4, ulp<=0.5" : `“${field}” is not a number: ${field}:${value}`};
    if (field === "ulp") {
      const number = Number(value);
      if (value.trim() === "" || Number.isNaN(number)) return {terms, problem: `“${value}” is not a number`};
      const holds = {">": u => u > number, ">=": u => u >= number, "<": u => u < number, "<=": u => u <= number}[relation];
      terms.push({not: Boolean(minus), field, relation, value, test: u => u !== null && holds(u)});
      continue;
    }
    const exact = relation === "=", within = !exact && ["id", "why"].includes(field);
    const choices = exact || quoted !== undefined ? [value] : value.split("|");
    const tests = choices.map(choice => exact ? text => text === value : pattern(choice, within));
    terms.push({not: Boolean(minus), field, relation: relation || ":", value, test: text => tests.some(holds => holds(text))});
  }
  return {terms, problem: ""};
}
