// The page of one lead, and its handoff as plain text.

class LeadView {
  constructor(page, go) {
    this.page = page;
    this.go = go;
    this.place = document.getElementById("lead-view");
    this.scorer = 0;
    this.view = VIEWS[0][0];
  }

  // Shows a lead; `near` says which one is before it and after it in the table, and where it stands there.
  async show(lead, near) {
    this.lead = lead;
    const detail = await detailOf(this.page, lead);
    if (this.lead !== lead) return; // another one was opened meanwhile
    this.detail = detail;
    const main = [this.whyPart(), this.receiptPart(), accountPart(this.page, lead)];
    const beside = [
      changesPart(this.page, lead, detail.changes),
      missingPart(detail.missing),
      trendPart(this.page, lead, detail.trend),
      timelinePart(this.page, detail.timeline),
      differencePart(this.page, lead, detail.differences),
      this.textPart(),
    ];
    this.place.replaceChildren(
      this.bar(near),
      this.headPart(),
      make("div", { type: "columns", children: [make("div", { type: "column", children: main }), make("div", { type: "column", children: beside.filter(Boolean) })] }),
    );
    this.place.querySelector("h1").focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  bar(near) {
    const step = (text, label, row) => {
      const link = make("a", { text, "aria-label": label, type: "button", ...(row === null ? { "aria-disabled": "true" } : { href: addressOf({ lead: this.page.ids[row] }) }) });
      return link;
    };
    const act = (text, title, action) => {
      const button = make("button", { text, title });
      button.type = "button";
      button.addEventListener("click", () => this.go(action));
      return button;
    };
    const where = make("span", { text: near.said, type: "quiet small" });
    return make("nav", {
      type: "lead-bar", "aria-label": "Leads",
      children: [
        act("← All leads", "Back to the table (Esc)", "back"), step("‹", "Lead before (k)", near.before), step("›", "Next lead (j)", near.after), where,
        make("span", { type: "space" }), act("Compare", "Compare with another lead (c)", "compare"), act("Print", "Print this lead", "print"),
      ],
    });
  }

  headPart() {
    const { lead, page } = this;
    const name = make("h1", { text: lead.name, tabindex: -1 });
    const ids = [`lead ${lead.id}`, lead.accountId && `account ${lead.accountId}`, lead.segment, lead.tier, lead.owner && `owner ${lead.owner}`].filter(Boolean);
    const band = lead.bandName ? [chip(lead), bandMove(page, lead)].filter(Boolean) : [];
    const figures = facts([
      ["Rank", `${whole(lead.rank)} of ${whole(page.ids.length)}`],
      ["Band", band.length ? make("span", { children: band }) : ""],
      ["Points", lead.points === null ? "" : signedWhole(lead.points)],
      ["Tonight", standing(page, lead)],
      ["Rules and model", lead.cell && lead.cell !== "neither" ? lead.cell : ""],
    ]);
    const score = make("p", { type: "headline", children: [make("strong", { text: percent(lead.score) }), ` ${oddsInWords(lead.score)}`] });
    return make("header", { type: "lead-head", children: [make("div", { children: [name, make("p", { text: ids.join(" · "), type: "quiet" })] }), make("div", { children: [score, intervalPart(lead)].filter(Boolean) }), figures] });
  }

  whyPart() {
    return section(this.detail.against.length ? "What speaks for it, and against it" : "What speaks for it", [reasonList(this.detail)]);
  }

  receiptPart() {
    const { page } = this;
    const scorers = page.scorers.map(([name], k) => [String(k), plainly(name)]);
    if (scorers.length > 1) scorers.push(["both", "Side by side"]);
    const again = (field) => (value) => {
      this[field] = value;
      const old = this.place.querySelector(".receipt-part");
      old.replaceWith(this.receiptPart());
      this.place.querySelector(`.receipt-part input[value="${value}"]`).focus();
    };
    const head = [
      choice("scorer", "Score by", scorers, String(this.scorer), again("scorer")),
      ...(this.scorer === "both" ? [] : [choice("view", "Lines", VIEWS, this.view, again("view"))]),
    ];
    return section("Receipt", this.receiptBody(), { head, type: "part receipt-part" });
  }

  receiptBody() {
    const { page, detail } = this;
    if (!detail.lines.length && !page.scorers.length) return [make("p", { text: "This file holds no receipt.", type: "quiet" })];
    if (this.scorer === "both") {
      const both = [0, 1].map((k) => receiptOf(page, detail, k));
      return [make("p", { text: "Both receipts, in percentage points of probability.", type: "quiet small" }), alignedTable(page, both, both.map((one) => plainly(one.name)), true)];
    }
    const number = Number(this.scorer);
    const receipt = receiptOf(page, detail, number);
    return [
      make("p", { text: receiptNote(page, receipt, number), type: "quiet small" }),
      receiptTable(page, receipt, this.view),
      make("p", { text: equation(page, receipt), type: "equation small" }),
    ];
  }

  textPart() {
    const text = handoffText(this.page, this.lead, this.detail);
    const area = make("textarea", { readonly: "", rows: 14, "aria-label": "Handoff as text", spellcheck: "false" });
    area.value = text;
    const button = make("button", { text: "Copy" });
    button.type = "button";
    button.id = "copy";
    button.addEventListener("click", async () => {
      button.textContent = (await copyText(text, area)) ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    return section("Handoff as text", [area], { head: [button], type: "part no-print" });
  }
}

async function copyText(text, area) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    area.focus();
    area.select();
    return document.execCommand("copy");
  }
}

// Company, score, band, reasons, receipt and timeline: what a person needs to begin.
function handoffText(page, lead, detail) {
  const known = [
    ["band", lead.bandName], ["points", lead.points === null ? "" : signedWhole(lead.points)], ["rank", `${whole(lead.rank)} of ${whole(page.ids.length)}`],
    ["segment", lead.segment], ["tier", lead.tier], ["owner", lead.owner],
  ].filter(([, value]) => value !== "");
  const scored = page.scorers.length ? receiptLines(page, receiptOf(page, detail, 0)) : [];
  const actions = detail.timeline.map((one) => `  ${dayInWords(one.day)}  ${one.event}${one.count > 1 ? ` × ${one.count}` : ""}`);
  return [
    `${lead.name} · lead ${lead.id}${lead.accountId ? ` · account ${lead.accountId}` : ""}`,
    `${percent(lead.score)}: ${oddsInWords(lead.score)}`,
    known.map(([name, value]) => `${name} ${value}`).join(", "),
    standing(page, lead),
    `as of ${page.asOf}, model ${page.version}`,
    "", "What speaks for it", ...detail.reasons.map((text) => `  ${text}`),
    ...(detail.against.length ? ["", "What speaks against it", ...detail.against.map((text) => `  ${text}`)] : []),
    ...(scored.length ? ["", "Receipt, in percentage points of probability", ...scored] : []),
    "", "Key actions of the last 90 days", ...(actions.length ? actions : ["  none"]), "",
  ].join("\n");
}

function receiptLines(page, receipt) {
  const steps = withTotals(receipt, stepsOf(receipt, VIEWS[0][0]));
  const [start, end] = [receipt.base, receipt.total].map((units) => hundredth(Math.round((10_000 * units) / page.units)));
  const line = (number, text) => `  ${number.padStart(7)}  ${text}`;
  return [
    line(start, "starting point"),
    ...steps.map((step) => line(signed(step.shown, hundredth(step.shown)), step.value ? `${step.label}: ${step.value}` : step.label)),
    line(end, "score"),
  ];
}
