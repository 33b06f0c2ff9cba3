// Two leads side by side.

class CompareView {
  constructor(page, go) {
    this.page = page;
    this.go = go;
    this.place = document.getElementById("compare-view");
    this.scorer = "0";
  }

  async show(leads) {
    this.leads = leads;
    const details = await Promise.all(leads.map((lead) => detailOf(this.page, lead)));
    if (this.leads !== leads) return;
    this.details = details;
    const back = make("button", { text: "← All leads", title: "Back to the table (Esc)" });
    back.type = "button";
    back.addEventListener("click", () => this.go("back"));
    const heading = make("h1", { text: "Two leads side by side", tabindex: -1 });
    this.place.replaceChildren(make("nav", { type: "lead-bar", "aria-label": "Leads", children: [back] }), heading, this.heads(), this.receipts());
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  heads() {
    const cards = this.leads.map((lead, k) => {
      const band = lead.bandName ? [chip(lead), bandMove(this.page, lead)].filter(Boolean) : [];
      return make("article", {
        type: "part", "aria-label": `Lead ${lead.id}`,
        children: [
          make("h2", { children: [linkTo(lead, lead.name)] }),
          make("p", { text: [`lead ${lead.id}`, lead.segment, lead.tier, lead.owner && `owner ${lead.owner}`].filter(Boolean).join(" · "), type: "quiet small" }),
          make("p", { type: "headline", children: [make("strong", { text: percent(lead.score) }), ` ${oddsInWords(lead.score)}`] }),
          ...[intervalPart(lead)].filter(Boolean),
          facts([["Rank", whole(lead.rank)], ["Band", band.length ? make("span", { children: band }) : ""], ["Points", lead.points === null ? "" : signedWhole(lead.points)], ["Tonight", standing(this.page, lead)]]),
          reasonList(this.details[k]),
        ],
      });
    });
    return make("div", { type: "pair", children: cards });
  }

  receipts() {
    const { page } = this;
    if (!page.scorers.length) return make("p", { text: "This file holds no receipts.", type: "quiet" });
    const pair = this.details.map((detail) => receiptOf(page, detail, Number(this.scorer)));
    const names = this.leads.map((lead) => `${lead.name} · ${lead.id}`);
    const scorers = page.scorers.map(([name], k) => [String(k), plainly(name)]);
    const head = choice("pair-scorer", "Score by", scorers, this.scorer, (value) => {
      this.scorer = value;
      this.place.querySelector(".aligned-part").replaceWith(this.receipts());
      this.place.querySelector(`.aligned-part input[value="${value}"]`).focus();
    });
    const note = "Shares in percentage points of probability; each column sums to its score exactly. What the two differ in most comes first.";
    return section("Receipts", [alignedTable(page, pair, names)], { head: [head], note, type: "part aligned-part" });
  }
}

// Which leads are to be compared: the first that was chosen waits for a second one.
class Marks {
  constructor() {
    this.rows = [];
  }

  has(row) {
    return this.rows.includes(row);
  }

  toggle(row) {
    this.rows = this.has(row) ? this.rows.filter((one) => one !== row) : [...this.rows, row].slice(-2);
    return this.rows.length === 2 ? this.rows : null;
  }

  clear() {
    this.rows = [];
  }
}
