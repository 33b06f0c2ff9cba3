// Numbers in words, and small pieces of the document. Text goes in through textContent only.

const percent = (probability, digits = 1) => `${(100 * probability).toFixed(digits)}%`;
const hundredth = (number) => (number / 100).toFixed(2).replace("-", "−");
const signedWhole = (number) => String(number).replace("-", "−");
const whole = (number) => number.toLocaleString("en");

function oddsInWords(probability) {
  if (probability >= 0.995) return "over 99 in 100 leads like this buy";
  if (probability >= 0.0095) return `${Math.round(100 * probability)} in 100 leads like this buy`;
  if (probability >= 0.0005) return `${Math.round(1000 * probability)} in 1,000 leads like this buy`;
  return "fewer than 1 in 1,000 leads like this buy";
}

function make(tag, { text, type, children = [], ...attributes } = {}) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (type !== undefined) element.className = type;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const chip = (lead) => make("span", { text: lead.bandName, type: `chip band-${Math.min(lead.band, 3)}` });
const linkTo = (lead, text) => make("a", { text, href: `#lead=${encodeURIComponent(lead.id)}` });

// A bar from one place to another, both within 0 … 1.
function bar(from, to, type) {
  const svg = document.getElementById("bar").content.firstElementChild.cloneNode(true);
  const fill = svg.querySelector(".fill");
  const [low, high] = from < to ? [from, to] : [to, from];
  const width = Math.max(1000 * (high - low), high > low ? 4 : 0);
  fill.setAttribute("x", String(Math.min(1000 * low, 1000 - width)));
  fill.setAttribute("width", String(width));
  fill.classList.add(type);
  return svg;
}
