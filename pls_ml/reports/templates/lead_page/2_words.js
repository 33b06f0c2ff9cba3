// Numbers in words, and small pieces of the document. Text goes in through textContent only.

const minus = (text) => text.replace("-", "−");
const percent = (probability, digits = 1) => `${(100 * probability).toFixed(digits)}%`;
const hundredth = (number) => minus((number / 100).toFixed(2));
const signed = (number, text) => (number > 0 ? `+${text}` : text);
const signedWhole = (number) => minus(String(number));
const whole = (number) => number.toLocaleString("en");
const plainly = (text) => text.replaceAll("_", " ");
const sum = (lines) => lines.reduce((total, line) => total + line.share, 0);
const counted = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;

// A difference of two scores in percentage points: what the shown scores differ by, so that the printed numbers agree.
function pointsBetween(before, after) {
  const tenths = Math.round(1000 * after) - Math.round(1000 * before);
  return signed(tenths, minus((tenths / 10).toFixed(1)));
}

function oddsInWords(probability) {
  if (probability >= 0.995) return "over 99 in 100 leads like this buy";
  if (probability >= 0.0095) return `${Math.round(100 * probability)} in 100 leads like this buy`;
  if (probability >= 0.0005) return `${Math.round(1000 * probability)} in 1,000 leads like this buy`;
  return "fewer than 1 in 1,000 leads like this buy";
}

function daysAgo(days) {
  if (days <= 0) return "today";
  return days === 1 ? "yesterday" : `${days} days ago`;
}

const dayInWords = (day) => new Date(86_400_000 * day).toISOString().slice(0, 10);

// What stands between a lead and tonight's list.
function standing(page, lead) {
  if (lead.handoff) return `number ${lead.handoff} of tonight’s handoffs`;
  if (lead.blocked) return `not handed over: ${lead.blocked}`;
  const other = lead.account >= 0 && membersOf(page, lead.account).some((row) => page.columns.handoff[row]);
  return other ? "not handed over: another lead of its account is on the list" : "not handed over: beyond tonight’s capacity";
}

function membersOf(page, account) {
  const rows = [];
  const accounts = page.columns.account;
  for (let row = 0; row < accounts.length; row += 1) if (accounts[row] === account) rows.push(row);
  return rows;
}

function make(tag, { text, type, children = [], ...attributes } = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (type !== undefined) element.className = type;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes, children = []) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function chip(lead) {
  return make("span", { text: lead.bandName, type: `chip band-${Math.min(lead.band, 4)}` });
}

// Up or down a band since the night before; bands are counted from the highest.
function bandMove(page, lead) {
  if (!lead.bandBefore || lead.bandBefore === lead.band) return null;
  const up = lead.band < lead.bandBefore;
  const said = `${up ? "up" : "down"} from ${page.bands[lead.bandBefore - 1]}`;
  const sign = make("span", { text: up ? "▲" : "▼", "aria-hidden": "true" });
  return make("span", { type: up ? "move up" : "move down", title: said, children: [sign, make("span", { text: said, type: "unseen" })] });
}

const addressOf = (fields) => `#${new URLSearchParams(fields)}`;
const linkTo = (lead, text) => make("a", { text, href: addressOf({ lead: lead.id }) });

// Bars from one place to another, all within 0 … 1; several lie on top of each other, and share the height where `split`.
function bars(parts, { split = false } = {}) {
  const height = split ? 5 : 10;
  const rectangles = parts.map(([from, to, type], k) => {
    const [low, high] = from < to ? [from, to] : [to, from];
    const width = Math.max(1000 * (high - low), high > low ? 4 : 0);
    const x = Math.min(1000 * low, 1000 - width);
    return draw("rect", { class: `fill ${type}`, x, y: split ? 5 * k : 0, width, height });
  });
  const track = draw("rect", { class: "track", width: 1000, height: 10 });
  return draw("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" }, [track, ...rectangles]);
}

// A few choices of which one holds.
function choice(name, legend, options, chosen, act) {
  const labels = options.map(([value, text]) => {
    const input = make("input", { name, value, type: undefined });
    input.type = "radio";
    input.checked = value === chosen;
    input.addEventListener("change", () => act(value));
    return make("label", { children: [input, make("span", { text })] });
  });
  const field = make("fieldset", { type: "choice", children: [make("legend", { text: legend, type: "unseen" }), ...labels] });
  field.hidden = options.length < 2;
  return field;
}

function section(title, children, { note, type = "part", head = [] } = {}) {
  const id = `part-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  const heading = make("div", { type: "part-head", children: [make("h2", { text: title, id }), ...head] });
  const said = note ? [make("p", { text: note, type: "quiet small" })] : [];
  return make("section", { type, "aria-labelledby": id, children: [heading, ...said, ...children] });
}

// What speaks for a lead, then what speaks against it.
function reasonList(detail) {
  const listed = (texts, type) => texts.map((text) => make("li", { type, children: [make("span", { text: `${type}: `, type: "unseen" }), text] }));
  return make("ul", { type: "reasons", children: [...listed(detail.reasons, "for"), ...listed(detail.against, "against")] });
}

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", {
    type: "facts",
    children: known.map(([label, value]) => {
      const children = value instanceof Node ? [value] : [String(value)];
      return make("div", { children: [make("dt", { text: label }), make("dd", { children })] });
    }),
  });
}
