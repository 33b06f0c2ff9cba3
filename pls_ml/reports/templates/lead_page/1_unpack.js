// Packs: base64 of gzip of a header (JSON) and the numbers of its columns → typed arrays and texts.

const TYPES = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, i4: Int32Array, f8: Float64Array };

async function unpack(text) {
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i += 1) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const plain = new Uint8Array(await new Response(stream).arrayBuffer());
  const end = 4 + new DataView(plain.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(plain.subarray(4, end)));
  let place = end;
  const columns = {};
  for (const [name, type, length] of header.columns) {
    columns[name] = joinBytes(plain, place, new TYPES[type](length));
    place += columns[name].byteLength;
  }
  return { ...header, columns };
}

// All first bytes come before all second ones: see the packing.
function joinBytes(plain, place, array) {
  const size = array.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(array.buffer);
  for (let byte = 0; byte < size; byte += 1) {
    const from = place + byte * array.length;
    for (let i = 0; i < array.length; i += 1) bytes[i * size + byte] = plain[from + i];
  }
  return array;
}

// What is known of single leads stands in blocks of leads behind the script; a block is read when one of its leads is wanted.
class Blocks {
  constructor(size) {
    this.size = size;
    this.read = new Map();
  }

  async of(row) {
    const number = Math.floor(row / this.size);
    if (!this.read.has(number)) {
      if (document.readyState === "loading") await new Promise((go) => document.addEventListener("DOMContentLoaded", go, { once: true }));
      this.read.set(number, unpack(document.getElementById(`block-${number}`).textContent));
      if (this.read.size > 8) this.read.delete(this.read.keys().next().value);
    }
    return this.read.get(number);
  }
}

// The rows of one table of a block that belong to a lead, each with its columns by name.
function rowsOf(block, table, at) {
  const bounds = block.columns[table];
  if (bounds === undefined) return [];
  const fields = Object.keys(block.columns).filter((name) => name.startsWith(`${table}.`));
  const worded = new Set(block.worded);
  const rows = [];
  for (let k = bounds[at]; k < bounds[at + 1]; k += 1) {
    const row = {};
    for (const name of fields) {
      const value = block.columns[name][k];
      row[name.slice(table.length + 1)] = worded.has(name) ? block.texts[value] : value;
    }
    rows.push(row);
  }
  return rows;
}

// One lead with its words, by its place in the ranking.
function leadAt(page, row) {
  const { columns, words } = page;
  const account = columns.account[row];
  const share = (name) => (columns[name][row] < 0 ? null : columns[name][row] / page.units);
  const word = (name) => words[name][columns[name][row]];
  return {
    row,
    id: page.ids[row],
    account,
    accountId: account < 0 ? "" : page.accounts.account_id[account],
    name: nameOf(page, row),
    tier: account < 0 ? "" : words.tier[columns["accounts.tier"][account]],
    segment: plainly(word("segment")),
    owner: word("owner"),
    rank: columns.rank[row],
    score: share("score"),
    low: share("low"),
    high: share("high"),
    before: share("before"),
    points: columns.points[row] === NO_POINTS ? null : columns.points[row],
    band: columns.band[row],
    bandName: page.bands[columns.band[row] - 1] ?? "",
    bandBefore: columns.bandBefore[row],
    handoff: columns.handoff[row],
    blocked: word("blocked"),
    cell: word("cell"),
    reason: word("reason"),
  };
}

const NO_POINTS = -(2 ** 31);

function nameOf(page, row) {
  const account = page.columns.account[row];
  if (account < 0) return "No account";
  return page.accounts.name[account] || page.accounts.account_id[account];
}

// All that a lead's own block says.
async function detailOf(page, lead) {
  const block = await page.blocks.of(lead.row);
  const at = lead.row % page.block;
  const table = (name) => rowsOf(block, name, at).map((line) => ({ ...line, ...signalOf(page, line.signal) }));
  const reasons = table("reasons");
  const speaking = reasons.filter((reason) => !reason.against).map((reason) => reason.words);
  return {
    reasons: speaking.length ? speaking : [lead.reason],
    against: reasons.filter((reason) => reason.against).map((reason) => reason.words),
    lines: table("lines"),
    timeline: table("timeline"),
    trend: table("trend"),
    changes: table("changes"),
    missing: table("missing"),
    differences: table("differences"),
  };
}

function signalOf(page, number) {
  if (!number) return {};
  const [id, label, family] = page.signals[number - 1];
  return { id, label, family: plainly(family) };
}

// A score by one scorer as lines that sum to it exactly, in whole units.
function receiptOf(page, detail, scorer) {
  const [name, start, base] = page.scorers[scorer];
  const parts = scorer === 0 && start !== "" && detail.lines.some((line) => line.learned);
  const lines = detail.lines
    .map((line) => ({ ...line, share: line[`share${scorer}`], learned: parts ? line.learned : undefined }))
    .filter((line) => line.share);
  return { name, start, base, lines, parts, total: base + sum(lines), units: page.units };
}
