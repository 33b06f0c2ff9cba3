// The table of all leads: filtered, sorted, and only the rows in sight in the document.

const ROW = 33;
const MARGIN = 12;
const QUEUES = [
  ["all", "All leads", () => true],
  ["tonight", "Tonight’s list", (c, row) => c.handoff[row] > 0],
  ["new", "New tonight", (c, row) => c.before[row] < 0],
  ["moved", "Moved band", (c, row) => c.bandBefore[row] > 0 && c.bandBefore[row] !== c.band[row]],
];
const SORTS = {
  rank: (page) => page.columns.rank,
  lead: (page) => page.columns.place,
  account: (page) => ofAccounts(page, page.columns["accounts.place"], page.ids.length),
  tier: (page) => ofAccounts(page, page.columns["accounts.tier"], 10_000),
  segment: (page) => page.columns.segment,
  owner: (page) => page.columns.owner,
  band: (page) => page.columns.band,
  points: (page) => page.columns.points,
  score: (page) => page.columns.score,
  change: (page) => page.columns.score.map((score, row) => (page.columns.before[row] < 0 ? -(2 ** 31) : score - page.columns.before[row])),
};

function ofAccounts(page, values, none) {
  return Int32Array.from(page.columns.account, (account) => (account < 0 ? none : values[account]));
}

// Rows in the order of a whole-number key; native sorting of one number that holds key and row is far faster than comparing.
function orderBy(keys) {
  const n = keys.length;
  const joined = new Float64Array(n);
  for (let row = 0; row < n; row += 1) joined[row] = keys[row] * n + row;
  joined.sort();
  return Int32Array.from(joined, (value) => ((value % n) + n) % n);
}

class LeadTable {
  constructor(page, marks) {
    this.page = page;
    this.marks = marks;
    this.state = { q: "", queue: "all", band: "", tier: "", segment: "", owner: "", cell: "", sort: "rank", down: "" };
    this.orders = new Map();
    this.scroller = document.getElementById("scroller");
    this.body = document.getElementById("rows");
    this.current = -1;
    this.hasSince = page.since !== "";
    this.columns = COLUMNS.filter((column) => !column.when || column.when(page));
    this.top = Math.max(page.columns.score.reduce((most, score) => Math.max(most, score), 0), 1);
    document.getElementById("heads").replaceChildren(...this.columns.map((column) => this.head(column)));
    this.scroller.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()), { passive: true });
    new ResizeObserver(() => this.draw(true)).observe(this.scroller);
  }

  head(column) {
    const button = make("button", { text: column.label, "data-key": column.key });
    button.type = "button";
    button.addEventListener("click", () => {
      const same = this.state.sort === column.key;
      this.state.down = (same ? !this.state.down : column.down) ? "1" : "";
      this.state.sort = column.key;
      this.changed();
    });
    const children = SORTS[column.key] ? [button] : [column.label];
    return make("th", { scope: "col", type: `c-${column.key}${column.number ? " number" : ""}`, children });
  }

  order() {
    const key = this.state.sort;
    if (!this.orders.has(key)) this.orders.set(key, orderBy(SORTS[key](this.page)));
    return this.orders.get(key);
  }

  // One test per filter that is set; each looks at numbers only, but for the words that are searched.
  tests() {
    const { page, state } = this;
    const c = page.columns;
    const tests = [];
    const coded = (name, value) => {
      const code = page.words[name].indexOf(value);
      return (row) => c[name][row] === code;
    };
    if (state.queue !== "all") tests.push(((keep) => (row) => keep(c, row))(QUEUES.find(([id]) => id === state.queue)[2]));
    if (state.band) tests.push(((band) => (row) => c.band[row] === band)(page.bands.indexOf(state.band) + 1));
    for (const name of ["segment", "owner", "cell"]) if (state[name]) tests.push(coded(name, state[name]));
    if (state.tier) {
      const tier = page.words.tier.indexOf(state.tier);
      tests.push((row) => c.account[row] >= 0 && c["accounts.tier"][c.account[row]] === tier);
    }
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) {
      const sought = soughtOf(page);
      tests.push((row) => words.every((word) => sought[row].includes(word)));
    }
    return tests;
  }

  refresh() {
    const order = this.order();
    const tests = this.tests();
    const found = new Int32Array(order.length);
    let n = 0;
    for (let k = 0; k < order.length; k += 1) {
      const row = order[k];
      let keep = true;
      for (let t = 0; keep && t < tests.length; t += 1) keep = tests[t](row);
      if (keep) found[n++] = row;
    }
    this.found = found.subarray(0, n);
    if (this.state.down) this.found.reverse();
    this.scroller.scrollTop = 0;
    this.current = -1;
    this.draw(true);
    this.say();
  }

  say() {
    const { found, page } = this;
    const of = found.length === page.ids.length ? "" : ` of ${whole(page.ids.length)}`;
    document.getElementById("count").textContent = found.length ? `${whole(found.length)}${of} leads` : "No lead matches";
    document.getElementById("table").setAttribute("aria-rowcount", String(found.length + 1));
    for (const button of document.querySelectorAll("#heads button")) {
      const header = button.parentElement;
      if (button.dataset.key !== this.state.sort) header.removeAttribute("aria-sort");
      else header.setAttribute("aria-sort", this.state.down ? "descending" : "ascending");
    }
  }

  draw(anew = false) {
    if (!this.found || this.scroller.clientHeight === 0) return;
    const first = Math.max(Math.floor(this.scroller.scrollTop / ROW) - MARGIN, 0);
    const last = Math.min(first + Math.ceil(this.scroller.clientHeight / ROW) + 2 * MARGIN, this.found.length);
    if (!anew && first === this.first && last === this.last) return;
    const focused = document.activeElement?.closest?.("#rows tr")?.dataset.at;
    const kind = document.activeElement?.dataset?.kind;
    [this.first, this.last] = [first, last];
    const rows = [];
    for (let at = first; at < last; at += 1) rows.push(this.row(at));
    this.body.replaceChildren(this.gap(first), ...rows, this.gap(this.found.length - last));
    if (focused !== undefined) this.body.querySelector(`tr[data-at="${focused}"] [data-kind="${kind}"]`)?.focus({ preventScroll: true });
  }

  gap(rows) {
    const gap = make("tr", { type: "gap", "aria-hidden": "true", children: [make("td")] });
    gap.firstElementChild.style.height = `${rows * ROW}px`;
    gap.hidden = rows === 0;
    return gap;
  }

  row(at) {
    const lead = leadAt(this.page, this.found[at]);
    const children = this.columns.map((column) => {
      const children = [column.cell(lead, this)].flat().filter((part) => part !== null && part !== "");
      const type = `c-${column.key}${column.number ? " number" : ""}`;
      return column.key === "lead" ? make("th", { scope: "row", type, children }) : make("td", { type, children });
    });
    const row = make("tr", { "aria-rowindex": at + 2, "data-at": at, children });
    if (at === this.current) row.setAttribute("aria-current", "true");
    if (this.marks.has(lead.row)) row.classList.add("marked");
    return row;
  }

  // Moves the place of the keyboard, and brings its row into sight.
  moveTo(at) {
    if (!this.found.length) return;
    this.current = Math.min(Math.max(at, 0), this.found.length - 1);
    const head = document.getElementById("heads").offsetHeight;
    const [from, to] = [this.current * ROW, (this.current + 1) * ROW];
    if (from < this.scroller.scrollTop) this.scroller.scrollTop = from;
    else if (to + head > this.scroller.scrollTop + this.scroller.clientHeight) this.scroller.scrollTop = to + head - this.scroller.clientHeight;
    this.draw(true);
    this.body.querySelector(`tr[data-at="${this.current}"] a`)?.focus({ preventScroll: true });
  }

  placeOf(row) {
    return this.found.indexOf(row);
  }

  count(keep) {
    let n = 0;
    for (let row = 0; row < this.page.ids.length; row += 1) if (keep(this.page.columns, row)) n += 1;
    return n;
  }
}

// Lead, account and its id in one line each, made when somebody first searches.
function soughtOf(page) {
  page.sought ??= page.ids.map((id, row) => {
    const account = page.columns.account[row];
    return `${id}\n${account < 0 ? "" : `${page.accounts.name[account] ?? ""}\n${page.accounts.account_id[account]}`}`.toLowerCase();
  });
  return page.sought;
}
