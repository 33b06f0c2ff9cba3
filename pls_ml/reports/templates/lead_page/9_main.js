// Wiring: the address's fragment says what is shown, so that Back, links and bookmarks work.

const FILTERS = ["q", "queue", "band", "tier", "segment", "owner", "cell", "sort", "down"];
const PLAIN = { queue: "all", sort: "rank" };

class Workbench {
  constructor(page) {
    this.page = page;
    this.byId = new Map(page.ids.map((id, row) => [id, row]));
    this.marks = new Marks();
    this.table = new LeadTable(page, this.marks);
    this.lead = new LeadView(page, (action) => this.act(action));
    this.compare = new CompareView(page, (action) => this.act(action));
    this.table.changed = () => this.filtered();
    addFilters(page, this.table);
    window.addEventListener("hashchange", () => this.follow());
    document.addEventListener("keydown", (event) => this.press(event));
    this.table.body.addEventListener("click", (event) => this.click(event));
    listen("drop", () => this.unmark());
    listen("help", () => document.getElementById("keys").showModal());
    listen("theme", nextTheme);
    listen("keys-close", () => document.getElementById("keys").close());
    this.follow(true);
  }

  // Reads the address: a lead, two leads, or the table with its filters.
  follow(first = false) {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const rows = ["lead", "compare", "with"].map((name) => this.byId.get(wanted.get(name) ?? ""));
    const [lead, left, right] = rows;
    const view = left !== undefined && right !== undefined ? "compare" : lead !== undefined ? "lead" : "table";
    this.view = view;
    document.body.dataset.view = view;
    if (view === "table" || first) this.readFilters(view === "table" ? wanted : new URLSearchParams());
    if (view === "compare") this.compare.show([left, right].map((row) => leadAt(this.page, row)));
    if (view === "lead") this.showLead(lead);
    if (view === "table") this.back(first);
    this.showMarks();
  }

  readFilters(wanted) {
    const old = JSON.stringify(this.table.state);
    for (const name of FILTERS) this.table.state[name] = wanted.get(name) ?? PLAIN[name] ?? "";
    if (!Object.hasOwn(SORTS, this.table.state.sort)) this.table.state.sort = "rank";
    if (!QUEUES.some(([id]) => id === this.table.state.queue)) this.table.state.queue = "all";
    showState(this.table);
    if (old !== JSON.stringify(this.table.state) || !this.table.found) this.table.refresh();
  }

  filtered() {
    history.replaceState(null, "", this.tableAddress());
    showState(this.table);
    this.table.refresh();
  }

  showLead(row) {
    const { table, page } = this;
    const at = table.placeOf(row);
    this.shown = row;
    const near = {
      before: at > 0 ? table.found[at - 1] : null,
      after: at >= 0 && at + 1 < table.found.length ? table.found[at + 1] : null,
      said: at < 0 ? "not among those found" : `${whole(at + 1)} of ${whole(table.found.length)}${table.found.length < page.ids.length ? " found" : ""}`,
    };
    this.near = near;
    this.lead.show(leadAt(page, row), near);
  }

  back(first) {
    this.table.draw(true);
    const at = this.shown === undefined ? -1 : this.table.placeOf(this.shown);
    if (at >= 0) this.table.moveTo(at);
    else if (!first && this.table.current >= 0) this.table.moveTo(this.table.current);
    this.shown = undefined;
  }

  act(action) {
    if (action === "print") window.print();
    else if (action === "back") this.toTable();
    else if (!this.mark(this.shown)) this.toTable();
  }

  toTable() {
    const address = this.tableAddress();
    if (address === location.hash || (address === "#" && location.hash === "")) this.follow();
    else location.hash = address;
  }

  tableAddress() {
    const { state } = this.table;
    const given = FILTERS.filter((name) => state[name] && state[name] !== PLAIN[name]);
    return addressOf(Object.fromEntries(given.map((name) => [name, state[name]])));
  }

  // Chooses a lead for comparison; with the second one both are shown. Returns whether they are.
  mark(row) {
    const pair = this.marks.toggle(row);
    if (pair) {
      const [left, right] = pair.map((one) => this.page.ids[one]);
      this.marks.clear();
      location.hash = addressOf({ compare: left, with: right });
    }
    this.showMarks();
    this.table.draw(true);
    return pair !== null;
  }

  unmark() {
    this.marks.clear();
    this.showMarks();
    this.table.draw(true);
  }

  showMarks() {
    const [row] = this.marks.rows;
    const tray = document.getElementById("tray");
    tray.hidden = row === undefined;
    document.getElementById("tray-text").textContent = row === undefined ? "" : `Comparing ${nameOf(this.page, row)} (${this.page.ids[row]}): choose another lead with ⇄ or c.`;
  }

  click(event) {
    const row = event.target.closest("tr[data-at]");
    if (!row) return;
    const at = Number(row.dataset.at);
    if (event.target.closest("button")) this.mark(this.table.found[at]);
    else if (!event.target.closest("a") && getSelection().isCollapsed) row.querySelector("a").click();
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("keys").open) return;
    const typing = event.target.closest("input:not([type=radio]), select, textarea");
    const search = document.getElementById("search");
    if (event.key === "Escape") this.escape(typing);
    else if (typing && !(typing === search && event.key === "ArrowDown")) return;
    else if (event.key === "/" && this.view === "table") search.focus();
    else if (event.key === "?") document.getElementById("keys").showModal();
    else if (event.key === "t") nextTheme();
    else if (event.key === "c") this.compareHere();
    else if (!this.step(event)) return;
    event.preventDefault();
  }

  escape(typing) {
    if (this.view !== "table") this.act("back");
    else if (typing) typing.blur();
    else if (this.marks.rows.length) this.unmark();
  }

  compareHere() {
    if (this.view === "lead") this.act("compare");
    else if (this.view === "table" && this.table.current >= 0) this.mark(this.table.found[this.table.current]);
  }

  // j and k, or the arrows: to the next row of the table, or to the next lead.
  step(event) {
    const arrows = event.target.closest("input[type=radio], #lead-view") === null;
    const by = { j: 1, k: -1, ...(arrows && { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }) }[event.key];
    if (this.view === "table") {
      const to = { Home: 0, End: this.table.found.length - 1 }[event.key] ?? (by && this.here() + by);
      if (to === undefined) return false;
      this.table.moveTo(to);
      return true;
    }
    const row = by === 1 ? this.near?.after : by === -1 ? this.near?.before : null;
    if (this.view !== "lead" || row === null || row === undefined) return false;
    history.replaceState(null, "", addressOf({ lead: this.page.ids[row] }));
    this.follow();
    return true;
  }

  here() {
    const focused = document.activeElement.closest("#rows tr")?.dataset.at;
    return focused === undefined ? this.table.current : Number(focused);
  }
}

const listen = (id, act) => document.getElementById(id).addEventListener("click", act);
const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme").textContent = `Colours: ${theme}`;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // a page opened from disk may have no place to remember it
  }
}

function nextTheme() {
  setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]);
}

function storedTheme() {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem("theme")) ?? "auto";
  } catch {
    return "auto";
  }
}

try {
  setTheme(storedTheme());
  const page = await unpack(document.getElementById("data").textContent);
  page.blocks = new Blocks(page.block);
  window.workbench = new Workbench(page);
  document.getElementById("notice").hidden = true;
  document.body.classList.add("ready");
} catch (error) {
  const old = typeof DecompressionStream === "undefined" || typeof Map.groupBy === "undefined";
  const text = old ? "This page needs a browser from 2024 or later." : `The leads could not be unpacked: ${error.message}`;
  Object.assign(document.getElementById("notice"), { textContent: text, hidden: false });
}
