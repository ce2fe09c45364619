// Building blocks of every page. Text only ever enters a page as text nodes, or as HTML that was escaped when it was made.

// The digits of base 85, as `conformance.reports.shared.page` writes them: five stand for four bytes.
const digits = new Uint8Array(128);
[..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%:()*+-;,=.?@^_`{|}~"].forEach((letter, i) => { digits[letter.charCodeAt(0)] = i; });

/** JSON that was compressed and put into base 85. */
async function unpack(packed) {
  const groups = Math.ceil(packed.length / 5), missing = groups * 5 - packed.length, bytes = new DataView(new ArrayBuffer(groups * 4));
  for (let group = 0, at = 0; group < groups; group++) {
    let value = 0;
    for (let i = 0; i < 5; i++, at++) value = value * 85 + (at < packed.length ? digits[packed.charCodeAt(at)] : 84);
    bytes.setUint32(group * 4, value);
  }
  const whole = new Uint8Array(bytes.buffer, 0, groups * 4 - missing);
  return JSON.parse(await new Response(new Blob([whole]).stream().pipeThrough(new DecompressionStream("deflate"))).text());
}

const modern = "DecompressionStream" in window;  // every browser since 2023
if (!modern) for (const words of document.querySelectorAll("noscript")) words.before(make("p", {class: "warnings"}, words.textContent.replace(/<[^>]*>/g, "")));
const content = id => document.getElementById(id)?.textContent ?? "";

/** Text from elsewhere as it may be looked at: control and bidirectional characters are shown as escapes. */
function visible(text) {
  return text.replace(acting, character => {
    const code = character.codePointAt(0), digits = code.toString(16);
    return code < 0x100 ? `\\x${digits.padStart(2, "0")}` : code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
  });
}

/** An element with attributes (handlers among them) and children; strings become text. */
function make(tag, attributes, ...children) {
  const element = tag.includes(":") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, visible(String(value)));
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== "" && child !== false) element.append(typeof child === "string" ? visible(child) : child);
  return element;
}

function say(words) {
  document.getElementById("said").textContent = words;
}

async function copy(words, what) {
  try {
    await navigator.clipboard.writeText(words);
  } catch {  // not everywhere is a page from a file allowed to; the old way still is
    const area = make("textarea", {class: "unseen", "aria-hidden": "true"}), focused = document.activeElement;
    area.value = words;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    focused?.focus({preventScroll: true});
  }
  say(`${what} copied`);
}

function copyButton(label, what, words, named) {
  const button = make("button", {type: "button", class: "copy", "aria-label": named, click: async () => {
    await copy(words(), what);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  }}, label);
  return button;
}

/** Give the source code within an element a button that copies it. */
function copyButtons(within) {
  for (const source of within.querySelectorAll("pre[data-copy]")) {
    if (source.nextElementSibling?.classList.contains("copy")) continue;
    source.after(copyButton("Copy", "Code", () => source.textContent, `Copy ${source.dataset.copy}`));
  }
}

// Parts that are unpacked when they are first opened.
let folds = null;

async function fill(place) {
  const number = place.dataset.fold;
  if (number === undefined) return;
  delete place.dataset.fold;
  folds ??= unpack(content("folds"));
  place.innerHTML = (await folds)[number];
  copyButtons(place);
  sortable(place);
}

const filled = within => Promise.all([...within.querySelectorAll("[data-fold]")].map(fill));

addEventListener("toggle", event => {
  if (event.target.open && event.target.matches?.("details")) for (const place of event.target.querySelectorAll(":scope > [data-fold]")) fill(place);
}, true);

// On paper everything is open. Unpacking can't be waited for there, so a page that may be printed is asked to unpack before.
const unfolded = [];
async function openAll() {
  await filled(document);
  for (const fold of document.querySelectorAll("details.still:not([open])")) { fold.open = true; unfolded.push(fold); }
}
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details.still:not([open])")) { fold.open = true; unfolded.push(fold); }
});
addEventListener("afterprint", () => { for (const fold of unfolded.splice(0)) fold.open = false; });
if (modern) (window.requestIdleCallback || setTimeout)(() => filled(document));

/** The part of the page that the address names; empty if it names none, or is no address that a page wrote. */
function namedPart() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
}

/** Open the fold that the address names, and those around it; gives the named element. */
function unfold(name) {
  const named = document.getElementById(name);
  for (let fold = named?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  named?.scrollIntoView();
  return named;
}
