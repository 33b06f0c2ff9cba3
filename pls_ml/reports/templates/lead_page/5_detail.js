// The panel of one lead.

class Detail {
  constructor(data, leads) {
    this.data = data;
    this.leads = leads;
    this.panel = document.getElementById("detail");
    this.scorers = Object.keys(data.receipts);
    this.scorer = this.scorers[0];
    this.view = VIEWS[0][0];
    this.lead = null;
    this.choices("scorers", this.scorers.map((name) => [name, name]), "scorer");
    this.choices("views", VIEWS, "view");
  }

  choices(place, options, field) {
    const fieldset = document.getElementById(place);
    for (const [value, text] of options) {
      const input = make("input", { type: undefined, name: place, value });
      input.type = "radio";
      input.checked = value === this[field];
      input.addEventListener("change", () => {
        this[field] = value;
        this.showReceipt();
      });
      fieldset.append(make("label", { children: [input, make("span", { text })] }));
    }
    fieldset.hidden = options.length < 2;
  }

  show(lead) {
    this.lead = lead;
    const put = (id, text) => { document.getElementById(id).textContent = text; };
    put("detail-name", lead.name);
    put("detail-ids", lead.account ? `lead ${lead.id} · account ${lead.account}` : `lead ${lead.id} · no account`);
    put("detail-score", percent(lead.score));
    put("detail-odds", oddsInWords(lead.score));
    const figures = [
      ["Rank", `${whole(lead.rank)} of ${whole(this.leads.length)}`],
      ["Segment", lead.segment],
      ...(lead.points === null ? [] : [["Points", signedWhole(lead.points)]]),
      ["Tonight", lead.handoff === null ? `not handed over${lead.blocked && `: ${lead.blocked}`}` : `handoff ${lead.handoff}`],
    ].map(([label, text]) => make("div", { children: [make("dt", { text: label }), make("dd", { text })] }));
    figures.splice(1, 0, make("div", { type: "in-band", children: [make("dt", { text: "Band" }), make("dd", { children: [chip(lead)] })] }));
    document.getElementById("detail-figures").replaceChildren(...figures);
    document.getElementById("why").hidden = lead.reasons.length === 0;
    document.getElementById("detail-reasons").replaceChildren(...lead.reasons.map((text) => make("li", { text })));
    this.showReceipt();
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
    document.body.classList.add("open");
  }

  showReceipt() {
    const receipt = readReceipt(this.data, this.scorer, this.lead.row);
    document.getElementById("receipt-note").textContent = this.note(receipt);
    for (const id of ["receipt", "equation"]) document.getElementById(id).hidden = receipt === null;
    if (receipt !== null) showReceipt(receipt, this.view);
  }

  note(receipt) {
    if (receipt === null) return "This file holds no receipt of this score.";
    const exact = "Every signal’s share in percentage points; they sum to the score exactly.";
    if (this.scorer === this.scorers[0]) return exact;
    const score = (receipt.base + sum(receipt.lines)) / receipt.units;
    return `By the ${this.scorer} alone this lead would score ${percent(score)}. ${exact}`;
  }

  hide() {
    this.lead = null;
    this.panel.hidden = true;
    document.body.classList.remove("open");
  }
}
