// One lead's receipt as a waterfall: from the starting point, share by share, to the score.

const LARGEST = 12;
const VIEWS = [["largest", "Largest"], ["families", "By family"], ["all", "All lines"]];
const bySize = (a, b) => Math.abs(b.share) - Math.abs(a.share);
const sum = (lines) => lines.reduce((total, line) => total + line.share, 0);

// What speaks for the lead first, then what speaks against it, each from the largest on.
function stepsOf(receipt, view) {
  const lines = [...receipt.lines].sort(bySize);
  if (view === "families") return forThenAgainst(familySteps(lines));
  if (view === "all" || lines.length <= LARGEST + 2) return forThenAgainst(lines);
  const rest = lines.slice(LARGEST);
  const small = (text, keep) => {
    const some = rest.filter(keep);
    return some.length ? [{ label: `${some.length} smaller ${text}`, value: "", share: sum(some) }] : [];
  };
  const [up, down] = split(lines.slice(0, LARGEST));
  return [...up, ...small("signals for", (line) => line.share > 0), ...down, ...small("signals against", (line) => line.share < 0)];
}

const split = (steps) => [steps.filter((step) => step.share >= 0), steps.filter((step) => step.share < 0)];
const forThenAgainst = (steps) => split(steps).flat();

function familySteps(lines) {
  const families = new Map();
  for (const line of lines) families.set(line.family, [...(families.get(line.family) ?? []), line]);
  const steps = [...families].map(([family, members]) => {
    const first = members.length > 1 ? `${members.length} signals, most by ${members[0].label}` : members[0].label;
    return { label: family, value: first, share: sum(members) };
  });
  return steps.sort(bySize);
}

function showReceipt(receipt, view) {
  const steps = stepsOf(receipt, view);
  const totals = [receipt.base];
  for (const step of steps) totals.push(totals.at(-1) + step.share);
  const low = Math.min(...totals, 0);
  const high = Math.max(...totals) + 1;
  const place = (units) => (units - low) / (high - low);
  const draw = (from, to, type) => bar(place(from), place(to), type);

  // Shown shares are differences of shown totals: the printed numbers add up to the printed score.
  const hundredths = totals.map((units) => Math.round((10_000 * units) / receipt.units));
  const shown = steps.map((step, k) => ({ ...step, shown: hundredths[k + 1] - hundredths[k], total: hundredths[k + 1] }));
  const lines = shown.map((step, k) => receiptRow(step, draw(totals[k], totals[k + 1], step.share < 0 ? "against" : "for")));
  const start = { label: "starting point", total: hundredths[0] };
  document.getElementById("receipt-rows").replaceChildren(receiptRow(start, draw(0, receipt.base, "base")), ...lines);
  const end = { label: "score", total: hundredths.at(-1) };
  document.getElementById("receipt-sum").replaceChildren(receiptRow(end, draw(0, totals.at(-1), "level")));
  document.getElementById("equation").textContent = equation(start.total, shown, end.total);
}

function equation(start, shown, end) {
  const [up, down] = split(shown).map((side) => side.reduce((total, step) => total + step.shown, 0));
  return `${hundredth(start)} average + ${hundredth(up)} for − ${hundredth(-down)} against = ${hundredth(end)}%`;
}

function receiptRow(step, svg) {
  const label = make("th", { scope: "row", children: [make("span", { text: step.label, type: "label" })] });
  if (step.id) label.firstElementChild.title = step.id;
  if (step.value) label.append(make("span", { text: step.value, type: "value" }));
  const share = step.shown === undefined ? "" : (step.shown > 0 ? "+" : "") + hundredth(step.shown);
  return make("tr", {
    children: [
      label,
      make("td", { type: "steps", children: [svg] }),
      make("td", { text: share, type: `number ${step.share < 0 ? "down" : "up"}` }),
      make("td", { text: hundredth(step.total), type: "number total" }),
    ],
  });
}
