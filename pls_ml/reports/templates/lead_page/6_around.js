// What stands around a receipt: the interval, the trend, what changed, what is missing, the timeline, and the account.

// The score on a line with the interval around it; what the outcomes alone would say may lie beside it.
function intervalPart(lead) {
  if (lead.low === null || lead.high === null) return null;
  const most = Math.max(lead.high, lead.score, 0.01) * 1.15;
  const x = (value) => (200 * value) / most;
  const svg = draw("svg", { class: "interval", viewBox: "0 0 200 12", "aria-hidden": "true" }, [
    draw("rect", { class: "track", x: 0, y: 4, width: 200, height: 4 }),
    draw("rect", { class: "fill base", x: x(lead.low), y: 3, width: Math.max(x(lead.high) - x(lead.low), 2), height: 6 }),
    draw("circle", { class: "fill level", cx: x(lead.score), cy: 6, r: 5 }),
  ]);
  const said = `outcomes of leads scored like this: ${percent(lead.low)} to ${percent(lead.high)}`;
  return make("p", { type: "interval-line quiet small", children: [svg, said] });
}

function trendPart(page, lead, trend) {
  if (!trend.length) return null;
  const last = { asOf: page.asOf, version: page.version, score: lead.score };
  const nights = trend.map((one) => ({ asOf: page.nights[one.night][0], version: page.nights[one.night][1], score: one.score / page.units }));
  const all = [...nights, last];
  const time = (night) => Date.parse(night.asOf.length > 10 ? `${night.asOf}Z` : night.asOf);
  const [begin, end] = [time(all[0]), time(last)];
  const top = Math.max(...all.map((night) => night.score), 0.001);
  const x = (night) => 8 + 304 * ((time(night) - begin) / Math.max(end - begin, 1));
  const y = (night) => 74 - 62 * (night.score / top);
  const swaps = all.filter((night, k) => k > 0 && night.version !== all[k - 1].version);
  const parts = [
    draw("line", { class: "axis", x1: 4, x2: 316, y1: 74, y2: 74 }),
    ...swaps.map((night) => draw("line", { class: "swap", x1: x(night), x2: x(night), y1: 8, y2: 74 }, [draw("title", {}, [`model ${night.version}`])])),
    draw("polyline", { class: "trend", points: all.map((night) => `${x(night).toFixed(1)},${y(night).toFixed(1)}`).join(" ") }),
    ...all.map((night, k) => draw("circle", { class: "fill level", cx: x(night), cy: y(night), r: k === all.length - 1 ? 4 : 2.5 }, [draw("title", {}, [`${night.asOf}: ${percent(night.score)}`])])),
  ];
  const said = all.map((night) => `${night.asOf} ${percent(night.score)}`).join(", ");
  const svg = draw("svg", { class: "trend-svg", viewBox: "0 0 320 82", role: "img", "aria-label": `Score by night: ${said}` }, parts);
  const ends = make("p", { type: "ends small quiet", children: [make("span", { text: `${all[0].asOf} · ${percent(all[0].score)}` }), make("span", { text: `tonight · ${percent(lead.score)}` })] });
  const note = swaps.length ? `From ${swaps.length > 1 ? "each dashed line" : "the dashed line"} on another model scored.` : undefined;
  return section("Score over the last nights", [svg, ends], { note });
}

const SHOWN_CHANGES = 6;

function changesPart(page, lead, changes) {
  if (lead.before === null) return page.since ? section(`Since ${page.since}`, [make("p", { text: "New: not scored the night before." })]) : null;
  const head = make("p", { children: [`${percent(lead.before)} → ${percent(lead.score)} `, moved(pointsBetween(lead.before, lead.score)), ...bandWords(page, lead)] });
  const lines = changes.map((line) => ({ ...line, share: line.probability })).filter((line) => Math.abs(line.share) * 10_000 >= page.units / 2).sort(bySize);
  const named = lines.slice(0, SHOWN_CHANGES).map((line) => {
    const label = line.label ?? { model: "the model was trained again", calibrator: "the calibration was made again" }[line.part] ?? line.part;
    const values = line.before !== line.after ? `${line.before || "nothing"} → ${line.after || "nothing"}` : "";
    return changeRow(label, values, line.share / page.units);
  });
  const rest = lines.slice(SHOWN_CHANGES);
  if (rest.length) named.push(changeRow(counted(rest.length, "smaller change"), "", sum(rest) / page.units));
  const list = named.length ? [make("table", { type: "changes", children: [make("caption", { text: "What moved the score", type: "unseen" }), make("tbody", { children: named })] })] : [];
  return section(`Since ${page.since}`, [head, ...list]);
}

const moved = (text) => make("span", { text: text === "0.0" ? "unchanged" : `${text} points`, type: text.startsWith("+") ? "up" : text === "0.0" ? "quiet" : "down" });

function bandWords(page, lead) {
  const move = bandMove(page, lead);
  return move ? [`, ${move.title} `, move.firstElementChild] : [];
}

function changeRow(label, values, share) {
  const name = make("th", { scope: "row", children: [make("span", { text: label, type: "label" })] });
  if (values) name.append(make("span", { text: values, type: "value" }));
  const text = minus((100 * share).toFixed(2));
  return make("tr", { children: [name, make("td", { text: signed(share, text), type: `number ${share < 0 ? "down" : "up"}` })] });
}

// Per target the ways to reach it, each a few steps that would do it together.
function missingPart(missing) {
  if (!missing.length) return null;
  const targets = Map.groupBy(missing, (step) => [step.target, step.scorer].join("\n"));
  const parts = [...targets.values()].map((steps) => {
    const ways = [...Map.groupBy(steps, (step) => step.option).values()].map((way) => {
      const said = way.sort((a, b) => a.step - b.step).map(stepInWords);
      return make("li", { children: [said.join("; and "), make("span", { text: reachedWith(way), type: "quiet" })] });
    });
    return make("div", { children: [make("h3", { text: `${steps[0].target}, by ${plainly(steps[0].scorer)}` }), make("ul", { type: "ways", children: ways })] });
  });
  return section("What is missing", parts, { note: "The smallest changes of its own use with which this lead would reach it; each line is one way." });
}

const stepInWords = (step) => step.words || [step.label, [step.before, step.after].filter(Boolean).join(" → ")].filter(Boolean).join(": ");

function reachedWith(way) {
  const value = way.at(-1).reaches;
  if (!Number.isFinite(value)) return "";
  return ` — then ${way[0].target === TONIGHT ? percent(value) : `${minus(String(Math.round(value)))} points`}`;
}

const TONIGHT = "tonight's list"; // its score is a probability; that of a band is points

function differencePart(page, lead, differences) {
  if (!lead.cell || !lead.cell.endsWith("only")) return null;
  const rows = differences.slice(0, SHOWN_CHANGES).map((line) => {
    const said = line.difference > 0 ? "the model gives it more" : "the rules give it more";
    return make("li", { text: `${line.label ?? "another signal"}: ${said}` });
  });
  const ranks = { rules: differences[0]?.rank_rules, model: differences[0]?.rank_model };
  const placed = (side) => (ranks[side] > 0 ? `${side} (rank ${whole(ranks[side])})` : side);
  const [one, other] = lead.cell === "rules only" ? ["rules", "model"] : ["model", "rules"];
  const said = `High by the ${placed(one)}, not by the ${placed(other)}.`;
  return section("Rules and model disagree", [make("p", { text: said }), make("ul", { type: "plain", children: rows })]);
}

function timelinePart(page, timeline) {
  const days = Map.groupBy(timeline, (action) => action.day);
  if (!days.size) return section("Key actions", [make("p", { text: "None in the last 90 days.", type: "quiet" })]);
  const items = [...days].map(([day, actions]) => {
    const when = make("span", { type: "when quiet", children: [make("time", { text: dayInWords(day), datetime: dayInWords(day) }), make("span", { text: daysAgo(page.today - day) })] });
    const what = actions.map((action) => (action.count > 1 ? `${action.event} × ${whole(action.count)}` : action.event)).join(", ");
    return make("li", { children: [when, make("span", { text: what })] });
  });
  return section("Key actions", [make("ol", { type: "timeline", children: items })]);
}

const SHOWN_MEMBERS = 12;
const UNSHOWN = new Set(["account_id", "name"]);

function accountPart(page, lead) {
  if (lead.account < 0) return section("Account", [make("p", { text: "This lead belongs to no account.", type: "quiet" })]);
  const known = Object.entries(page.accounts).filter(([name]) => !UNSHOWN.has(name)).map(([name, values]) => [name, inWords(values[lead.account])]);
  const rows = membersOf(page, lead.account);
  const links = rows.slice(0, SHOWN_MEMBERS).map((row) => memberRow(page, leadAt(page, row), lead));
  const body = make("tbody", { children: links });
  const heads = make("tr", { children: [["Lead", ""], ["Rank", "number"], ["Score", "number"], ["", ""]].map(([text, type]) => make("th", { scope: "col", type, children: text ? [text] : [make("span", { text: "Band", type: "unseen" })] })) });
  const table = make("table", { type: "members", children: [make("caption", { text: "Leads of the account", type: "unseen" }), make("thead", { children: [heads] }), body] });
  const more = rows.length > SHOWN_MEMBERS ? [make("a", { text: `all ${whole(rows.length)} in the table`, href: addressOf({ q: lead.accountId }) })] : [];
  return section("Account", [facts([["account", lead.accountId], ["tier", lead.tier], ...known]), table, ...more]);
}

const inWords = (value) => (typeof value === "number" ? whole(value) : value === true ? "yes" : value === false ? "no" : value);

function memberRow(page, member, lead) {
  const name = make("th", { scope: "row", children: [member.row === lead.row ? make("strong", { text: `${member.id} (this one)` }) : linkTo(member, member.id)] });
  if (member.handoff) name.append(listed(member));
  return make("tr", { children: [name, make("td", { text: whole(member.rank), type: "number" }), make("td", { text: percent(member.score), type: "number" }), make("td", { children: member.bandName ? [chip(member)] : [] })] });
}
