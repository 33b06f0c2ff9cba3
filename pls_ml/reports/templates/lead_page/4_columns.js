// The columns of the table of leads, and the filters above it.

const some = (array, none = 0) => array.some((value) => value !== none);
const tells = (name) => (page) => page.words[name].some((word) => word !== "");

const COLUMNS = [
  { key: "rank", label: "Rank", number: true, cell: (lead) => whole(lead.rank) },
  { key: "lead", label: "Lead", cell: (lead) => [nameLink(lead), lead.handoff ? listed(lead) : null] },
  { key: "account", label: "Account", cell: (lead) => titled(lead.account < 0 ? "" : lead.name) },
  { key: "tier", label: "Tier", when: tells("tier"), cell: (lead) => titled(lead.tier) },
  { key: "segment", label: "Segment", cell: (lead) => titled(lead.segment) },
  { key: "owner", label: "Owner", when: tells("owner"), cell: (lead) => titled(lead.owner) },
  {
    key: "score", label: "Score", number: true, down: true,
    cell: (lead, table) => [make("span", { text: percent(lead.score) }), bars([[0, (lead.score * table.page.units) / table.top, "level"]])],
  },
  {
    key: "change", label: "Change", number: true, down: true, when: (page) => page.since !== "",
    cell: (lead) => {
      if (lead.before === null) return make("span", { text: "new", type: "quiet" });
      const text = pointsBetween(lead.before, lead.score);
      return make("span", { text: text === "0.0" ? "·" : text, type: text.startsWith("+") ? "up" : text === "0.0" ? "quiet" : "down" });
    },
  },
  { key: "band", label: "Band", when: (page) => some(page.columns.band), cell: (lead, table) => (lead.bandName ? [chip(lead), bandMove(table.page, lead)] : "") },
  {
    key: "points", label: "Points", number: true, down: true, when: (page) => some(page.columns.points, NO_POINTS),
    cell: (lead) => (lead.points === null ? "" : signedWhole(lead.points)),
  },
  { key: "reason", label: "First reason", cell: (lead) => titled(lead.reason) },
  { key: "compare", label: "", cell: (lead, table) => compareButton(lead, table) },
];

const titled = (text) => make("span", { text, title: text });

function nameLink(lead) {
  const link = linkTo(lead, lead.id);
  link.dataset.kind = "open";
  return link;
}

const listed = (lead) => make("span", { text: `№ ${lead.handoff}`, type: "listed", title: "Among tonight’s handoffs" });

function compareButton(lead, table) {
  const marked = table.marks.has(lead.row);
  const button = make("button", { text: "⇄", "aria-label": `Compare ${lead.id}`, "aria-pressed": String(marked), title: "Compare (c)", type: "icon" });
  button.type = "button";
  button.dataset.kind = "compare";
  return button;
}

function addFilters(page, table) {
  const queues = QUEUES.filter(([id]) => (id !== "new" && id !== "moved") || table.hasSince).filter(([id]) => id !== "moved" || some(page.columns.band));
  const options = queues.map(([id, text, keep]) => [id, id === "all" ? text : `${text} ${whole(table.count(keep))}`]);
  document.getElementById("queues").replaceChildren(choice("queue", "Which leads", options, table.state.queue, (value) => set("queue", value)));

  const set = (name, value) => {
    table.state[name] = value;
    table.changed();
  };
  const filters = [
    ["band", "Band", page.bands.filter((name, k) => page.columns.band.includes(k + 1))],
    ["tier", "Tier", page.words.tier],
    ["segment", "Segment", page.words.segment],
    ["owner", "Owner", page.words.owner],
    ["cell", "Rules and model", page.words.cell],
  ];
  const made = filters.filter(([, , names]) => names.filter(Boolean).length > 1).map(([name, label, names]) => {
    const all = make("option", { text: "all", value: "" });
    const select = make("select", { id: `filter-${name}`, children: [all, ...names.filter(Boolean).map((value) => make("option", { text: plainly(value), value }))] });
    select.addEventListener("input", () => set(name, select.value));
    return make("label", { children: [make("span", { text: label }), select] });
  });
  document.getElementById("filters").replaceChildren(...made);
  document.getElementById("search").addEventListener("input", (event) => set("q", event.target.value));
  document.getElementById("clear").addEventListener("click", () => {
    Object.assign(table.state, { q: "", queue: "all", band: "", tier: "", segment: "", owner: "", cell: "" });
    table.changed();
  });
}

// Writes the table's state into its controls.
function showState(table) {
  document.getElementById("search").value = table.state.q;
  for (const name of ["band", "tier", "segment", "owner", "cell"]) {
    const select = document.getElementById(`filter-${name}`);
    if (select) select.value = table.state[name];
  }
  for (const input of document.querySelectorAll("#queues input")) input.checked = input.value === table.state.queue;
  const set = ["q", "band", "tier", "segment", "owner", "cell"].some((name) => table.state[name]) || table.state.queue !== "all";
  document.getElementById("clear").hidden = !set;
}
