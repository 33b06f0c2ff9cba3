// Tonight's handoffs, and the table of all leads: filtered, sorted, and only a part of it in the document.

const STEP = 200;

function showHandoffs(leads) {
  const chosen = leads.filter((lead) => lead.handoff !== null).sort((a, b) => a.handoff - b.handoff);
  document.getElementById("tonight-count").textContent = chosen.length ? `${chosen.length}` : "";
  document.getElementById("handoffs").replaceChildren(...chosen.map(handoffCard));
  if (!chosen.length) document.getElementById("handoffs").replaceWith(make("p", { text: "No lead goes to sales tonight.", type: "quiet" }));
}

function handoffCard(lead) {
  const reasons = lead.reasons.slice(0, 3).map((text) => make("li", { text }));
  return make("li", {
    type: "card",
    children: [
      make("p", { type: "card-head", children: [make("span", { text: lead.handoff, type: "place" }), linkTo(lead, lead.name), chip(lead)] }),
      make("p", { type: "card-odds", children: [make("strong", { text: percent(lead.score) }), ` ${oddsInWords(lead.score)}`] }),
      make("ul", { type: "reasons", children: reasons }),
      make("p", { text: [lead.id, lead.segment, `rank ${whole(lead.rank)}`].join(" · "), type: "quiet small" }),
    ],
  });
}

class LeadList {
  constructor(leads) {
    this.all = leads;
    this.top = leads.reduce((top, lead) => Math.max(top, lead.score), 1e-9);
    this.query = "";
    this.band = "";
    this.segment = "";
    this.key = "rank";
    this.descending = false;
    this.body = document.getElementById("rows");
    this.more = document.getElementById("more");
    const some = (field, none) => leads.some((lead) => lead[field] !== none);
    document.body.classList.toggle("no-points", !some("points", null));
    document.body.classList.toggle("no-bands", !some("bandName", ""));
  }

  refresh() {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    this.found = this.all.filter(
      (lead) =>
        (this.band === "" || lead.band === Number(this.band)) &&
        (this.segment === "" || lead.segment === this.segment) &&
        words.every((word) => lead.sought.includes(word)),
    );
    this.found.sort((a, b) => (this.descending ? -1 : 1) * compare(a[this.key], b[this.key]) || a.rank - b.rank);
    this.body.replaceChildren();
    this.showMore();
    this.markHeaders();
  }

  showMore() {
    const shown = this.body.childElementCount;
    this.body.append(...this.found.slice(shown, shown + STEP).map((lead) => this.row(lead)));
    const now = this.body.childElementCount;
    const left = this.found.length - now;
    this.more.parentElement.hidden = left === 0;
    this.more.textContent = `Show ${whole(Math.min(STEP, left))} more`;
    const of = this.found.length === this.all.length ? "" : ` of ${whole(this.all.length)}`;
    const part = left ? `, first ${whole(now)} shown` : "";
    document.getElementById("count").textContent = this.found.length ? `${whole(this.found.length)}${of} leads${part}` : "No lead matches";
  }

  row(lead) {
    const cell = (text, type, title) => make("td", { text, type, ...(title && { title }) });
    const name = make("th", { scope: "row", type: "lead", children: [linkTo(lead, lead.id)] });
    if (lead.handoff !== null) name.append(make("span", { text: `#${lead.handoff}`, type: "tonight", title: "Among tonight’s handoffs" }));
    const points = lead.points === null ? "" : signedWhole(lead.points);
    const score = make("td", { type: "number score", children: [make("span", { text: percent(lead.score) }), bar(0, lead.score / this.top, "level")] });
    const row = make("tr", {
      children: [
        cell(whole(lead.rank), "number"), name, cell(lead.name, "name", lead.name), cell(lead.segment), score,
        make("td", { children: [chip(lead)] }), cell(points, "number points"), cell(lead.reasons[0] ?? "", "reason", lead.reasons[0] ?? ""),
      ],
    });
    row.dataset.row = lead.row;
    return row;
  }

  markHeaders() {
    for (const button of document.querySelectorAll("#table thead button")) {
      const header = button.parentElement;
      if (button.dataset.key !== this.key) header.removeAttribute("aria-sort");
      else header.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
    }
  }

  sortBy(button) {
    const first = button.dataset.first === "descending";
    this.descending = this.key === button.dataset.key ? !this.descending : first;
    this.key = button.dataset.key;
    this.refresh();
  }

  markOpen(lead) {
    for (const row of this.body.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
    this.rowOf(lead)?.setAttribute("aria-current", "true");
  }

  rowOf(lead) {
    return lead && this.body.querySelector(`tr[data-row="${lead.row}"]`);
  }
}

const collator = new Intl.Collator("en", { numeric: true });

function compare(a, b) {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  return typeof a === "string" ? collator.compare(a, b) : a - b;
}
