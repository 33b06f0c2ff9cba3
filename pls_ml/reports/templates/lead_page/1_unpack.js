// Data: base64 of gzip of JSON in the page → one object per lead, with its texts in place.

async function unpack() {
  const packed = atob(document.getElementById("data").textContent);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i += 1) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function readLeads(data) {
  const { leads: columns, texts, bands } = data;
  return (columns.id ?? []).map((id, row) => ({
    row,
    id,
    account: columns.account[row],
    name: columns.name[row] || columns.account[row] || "No account",
    segment: texts[columns.segment[row]].replaceAll("_", " "),
    score: columns.score[row],
    rank: columns.rank[row],
    points: columns.points[row],
    band: columns.band[row],
    bandName: bands[columns.band[row]],
    handoff: columns.handoff[row],
    blocked: texts[columns.blocked[row]],
    reasons: columns.reasons[row].map((number) => texts[number]),
    sought: [id, columns.account[row], columns.name[row]].join("\n").toLowerCase(),
  }));
}

// Shares are whole numbers of 1 / units, so that every sum below is exact.
function readReceipt(data, scorer, row) {
  const columns = data.receipts[scorer];
  if (columns === undefined || columns.base[row] === null) return null;
  const lines = columns.signals[row].map((signal, k) => {
    const [id, label, family] = data.signals[signal];
    return { id, label, family: family.replaceAll("_", " "), value: data.texts[columns.values[row][k]], share: columns.shares[row][k] };
  });
  return { base: columns.base[row], lines, units: data.units };
}
