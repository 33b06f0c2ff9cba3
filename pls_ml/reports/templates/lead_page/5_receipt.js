// One lead's receipt as a waterfall: from the starting point, share by share, to the score.

const LARGEST = 12;
const SMALL = 5; // hundredths of a percentage point
const VIEWS = [["largest", "Largest"], ["families", "By family"], ["all", "All lines"]];
const bySize = (a, b) => Math.abs(b.share) - Math.abs(a.share);
const split = (steps) => [steps.filter((step) => step.share >= 0), steps.filter((step) => step.share < 0)];

// What speaks for the lead first, then what speaks against it, each from the largest on; or family by family.
function stepsOf(receipt, view) {
  const lines = [...receipt.lines].sort(bySize);
  if (view === "families") return familySteps(lines, SMALL * (receipt.units / 10_000));
  if (view === "all" || lines.length <= LARGEST + 2) return split(lines).flat();
  const rest = lines.slice(LARGEST);
  const small = (text, keep) => {
    const few = rest.filter(keep);
    return few.length ? [{ label: `${few.length} smaller ${text}`, value: "", ...summed(few) }] : [];
  };
  const [up, down] = split(lines.slice(0, LARGEST));
  return [...up, ...small("signals for", (line) => line.share > 0), ...down, ...small("signals against", (line) => line.share < 0)];
}

function summed(lines) {
  const learned = lines.some((line) => line.learned !== undefined) ? lines.reduce((total, line) => total + line.learned, 0) : undefined;
  return { share: sum(lines), learned };
}

// A row for every family, with its sum, and below it its lines.
function familySteps(lines, small) {
  const families = new Map();
  for (const line of lines) families.set(line.family, [...(families.get(line.family) ?? []), line]);
  const groups = [...families].map(([family, members]) => ({ label: family, value: counted(members.length, "signal"), members, ...summed(members) }));
  return groups.sort(bySize).flatMap((group) => [group, ...fewLines(group.members, small).map((line) => ({ ...line, within: true }))]);
}

// Lines too small to be seen become one.
function fewLines(lines, limit) {
  const small = lines.filter((line) => Math.abs(line.share) < limit);
  if (small.length < 3) return lines;
  return [...lines.filter((line) => !small.includes(line)), { label: counted(small.length, "smaller signal"), value: "", ...summed(small) }];
}

// Shown shares are differences of shown totals: the printed numbers add up to the printed score.
function withTotals(receipt, steps) {
  const inHundredths = (units) => Math.round((10_000 * units) / receipt.units);
  let total = receipt.base;
  return steps.map((step) => {
    const from = total;
    const to = from + step.share;
    if (step.members === undefined) total = to; // the lines of a family take the way, its sum only shows it
    return { ...step, from, to, shown: inHundredths(to) - inHundredths(from), total: inHundredths(to) };
  });
}

function receiptTable(page, receipt, view) {
  const steps = withTotals(receipt, stepsOf(receipt, view));
  const ends = [receipt.base, ...steps.map((step) => step.to)];
  const low = Math.min(...ends, 0);
  const high = Math.max(...ends) + 1;
  const place = (units) => (units - low) / (high - low);
  const start = { label: "starting point", total: Math.round((10_000 * receipt.base) / page.units) };
  const end = { label: "score", total: Math.round((10_000 * receipt.total) / page.units) };
  const heads = [["Signal", ""], ["", "steps"], ...(receipt.parts ? [[plainly(receipt.start), "number"], ["learned", "number"]] : []), ["Share", "number"], ["Total", "number"]];
  return make("table", {
    type: receipt.parts ? "receipt parts" : "receipt",
    children: [
      make("caption", { text: "From the starting point to this score, in percentage points of probability", type: "unseen" }),
      make("thead", { children: [make("tr", { children: heads.map(([text, type]) => headCell(text, type)) })] }),
      make("tbody", {
        children: [
          receiptRow(receipt, start, bars([[place(0), place(receipt.base), "base"]])),
          ...steps.map((step) => receiptRow(receipt, step, stepBars(receipt, step, place))),
        ],
      }),
      make("tfoot", { children: [receiptRow(receipt, end, bars([[place(0), place(receipt.total), "level"]]))] }),
    ],
  });
}

const signOf = (number) => (number > 0 ? "up" : number < 0 ? "down" : "quiet");
const headCell = (text, type) => make("th", { scope: "col", type, children: text ? [text] : [make("span", { text: "Step", type: "unseen" })] });

// What the card says above, what trees add to it below.
function stepBars(receipt, step, place) {
  const type = step.share < 0 ? "against" : "for";
  if (!receipt.parts) return bars([[place(step.from), place(step.to), type]]);
  const middle = step.to - step.learned;
  const learned = step.learned < 0 ? "against" : "for";
  const card = middle < step.from ? "against" : "for";
  return bars([[place(step.from), place(middle), card], [place(middle), place(step.to), `${learned} learned`]], { split: true });
}

function receiptRow(receipt, step, svg) {
  const label = make("th", { scope: "row", children: [make("span", { text: step.label, type: "label", ...(step.id && { title: step.id }) })] });
  const place = step.percentile >= 0 ? `percentile ${step.percentile} of its segment` : "";
  if (step.value || place) label.append(make("span", { text: [step.value, place].filter(Boolean).join(" · "), type: "value" }));
  const cells = [make("td", { type: "steps", children: [svg] })];
  if (receipt.parts) cells.push(...partCells(step));
  const share = step.shown === undefined ? "" : signed(step.shown, hundredth(step.shown));
  cells.push(make("td", { text: share, type: `number ${signOf(step.shown)}` }), make("td", { text: hundredth(step.total), type: "number total" }));
  return make("tr", { type: step.members ? "group" : step.within ? "within" : undefined, children: [label, ...cells] });
}

// Rounded apart, so that the card's part and what was learned make the shown share.
function partCells(step) {
  if (step.shown === undefined) return [make("td", { type: "number" }), make("td", { type: "number" })];
  const learned = Math.round((step.shown * step.learned) / (step.share || 1));
  return [step.shown - learned, learned].map((part) => make("td", { text: signed(part, hundredth(part)), type: "number quiet" }));
}

// average + for − against = score, in the numbers that are printed above.
function equation(page, receipt) {
  const steps = withTotals(receipt, stepsOf(receipt, "all"));
  const [up, down] = split(steps).map((side) => side.reduce((total, step) => total + step.shown, 0));
  const [start, end] = [receipt.base, receipt.total].map((units) => Math.round((10_000 * units) / page.units));
  return `${hundredth(start)} starting point + ${hundredth(up)} for − ${hundredth(-down)} against = ${hundredth(end)}%`;
}

function receiptNote(page, receipt, scorer) {
  const exact = "Every signal’s share in percentage points of probability; they sum to the score exactly.";
  if (scorer > 0) return `By ${plainly(receipt.name)} alone this lead would score ${percent(receipt.total / page.units)}. ${exact}`;
  if (!receipt.parts) return exact;
  const learned = receipt.lines.reduce((total, line) => total + line.learned, 0) / page.units;
  const card = sum(receipt.lines) / page.units - learned;
  return `The card gives ${points(card)}, and what trees learned beside it ${points(learned)}. ${exact}`;
}

const points = (share) => `${signed(share, minus((100 * share).toFixed(2)))} points`;

// Two receipts line by line, each signal in one row, what they differ in most first. Of one lead, both have the same values.
function alignedTable(page, [left, right], names, ofOne = false) {
  const shown = (units) => Math.round((10_000 * units) / page.units);
  const rows = alignLines(left, right, SMALL * (page.units / 10_000));
  const most = Math.max(...rows.flatMap((row) => row.shares.map(Math.abs)), 1);
  const side = (row, k) => {
    const share = row.shares[k];
    const type = share < 0 ? "against" : "for";
    return [
      ...(ofOne ? [] : [make("td", { text: row.values[k], type: "value-cell" })]),
      make("td", { type: "steps", children: [bars([[0.5, 0.5 + share / most / 2, type]])] }),
      make("td", { text: share ? signed(shown(share), hundredth(shown(share))) : "", type: `number ${signOf(shown(share))}` }),
    ];
  };
  const apart = ([one, other]) => make("td", { text: signed(shown(one) - shown(other), hundredth(shown(one) - shown(other))), type: "number total" });
  const body = rows.map((row) => {
    const label = make("th", { scope: "row", children: [make("span", { text: row.label, type: "label", ...(row.id && { title: row.id }) })] });
    const value = row.values[0] || row.values[1];
    if (ofOne && value) label.append(make("span", { text: value, type: "value" }));
    return make("tr", { children: [label, ...side(row, 0), ...side(row, 1), apart(row.shares)] });
  });
  const aside = ofOne ? ["steps", "number"] : ["value", "steps", "number"];
  const ends = (label, values) => {
    const cells = values.flatMap((value) => [...aside.slice(1).map(() => make("td")), make("td", { text: hundredth(shown(value)), type: "number" })]);
    return make("tr", { children: [make("th", { scope: "row", text: label }), ...cells, apart(values)] });
  };
  const heads = names.map((name) => make("th", { scope: "colgroup", colspan: aside.length, text: name, title: name }));
  return make("table", {
    type: ofOne ? "aligned one" : "aligned",
    children: [
      make("caption", { text: "Two receipts line by line, in percentage points of probability; what they differ in most comes first", type: "unseen" }),
      make("colgroup", { children: ["signal", ...aside, ...aside, "apart"].map((name) => make("col", { type: `a-${name}` })) }),
      make("thead", { children: [make("tr", { children: [make("th", { scope: "col", text: "Signal" }), ...heads, make("th", { scope: "col", text: "Difference", type: "number" })] })] }),
      make("tbody", { children: [ends("starting point", [left.base, right.base]), ...body] }),
      make("tfoot", { children: [ends("score", [left.total, right.total])] }),
    ],
  });
}

// One row a signal; those that are small on both sides become one.
function alignLines(left, right, small) {
  const rows = new Map();
  for (const [side, receipt] of [left, right].entries()) {
    for (const line of receipt.lines) {
      if (!rows.has(line.id)) rows.set(line.id, { id: line.id, label: line.label, shares: [0, 0], values: ["", ""] });
      const row = rows.get(line.id);
      row.shares[side] = line.share;
      row.values[side] = line.value;
    }
  }
  const [large, rest] = [[], []];
  for (const row of rows.values()) (row.shares.some((share) => Math.abs(share) >= small) ? large : rest).push(row);
  large.sort((a, b) => Math.abs(b.shares[0] - b.shares[1]) - Math.abs(a.shares[0] - a.shares[1]));
  const total = (k) => rest.reduce((sofar, row) => sofar + row.shares[k], 0);
  if (rest.length) large.push({ label: counted(rest.length, "smaller signal"), shares: [total(0), total(1)], values: ["", ""] });
  return large;
}
