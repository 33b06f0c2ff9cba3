// Wiring: the address's fragment says which lead is open, so that Back, links and bookmarks work.

function fill(select, options) {
  document.getElementById(select).append(...options.map(([value, text]) => make("option", { value, text })));
}

function start(data) {
  const leads = readLeads(data);
  const byId = new Map(leads.map((lead) => [lead.id, lead]));
  const list = new LeadList(leads);
  const detail = new Detail(data, leads);
  const search = document.getElementById("search");

  fill("band", data.bands.map((name, number) => [String(number), name]));
  fill("segment", [...new Set(leads.map((lead) => lead.segment))].sort().map((name) => [name, name]));
  showHandoffs(leads);
  list.refresh();
  for (const id of ["tonight", "leads"]) document.getElementById(id).hidden = false;
  document.getElementById("notice").hidden = true;

  let opener = null;
  const follow = () => {
    const wanted = location.hash.startsWith("#lead=") ? safeDecode(location.hash.slice(6)) : null;
    const lead = wanted === null ? undefined : byId.get(wanted);
    const row = list.rowOf(lead);
    const inSight = row && row.getBoundingClientRect().top < innerHeight && row.getBoundingClientRect().bottom > 0;
    if (lead) detail.show(lead);
    else detail.hide();
    list.markOpen(lead);
    if (inSight) row.scrollIntoView({ block: "nearest" }); // the panel takes room from the list, which moves its rows
  };
  const open = () => {
    if (document.activeElement.matches("a")) opener = document.activeElement;
    follow();
    if (detail.lead) document.getElementById("detail-name").focus({ preventScroll: true });
  };
  const close = () => {
    const back = opener?.isConnected ? opener : list.rowOf(detail.lead)?.querySelector("a");
    history.replaceState(null, "", "#");
    follow();
    back?.focus();
  };
  const listen = (id, type, act) => document.getElementById(id).addEventListener(type, act);

  window.addEventListener("hashchange", open);
  listen("close", "click", close);
  listen("more", "click", () => list.showMore());
  for (const id of ["search", "band", "segment"]) {
    listen(id, "input", (event) => {
      list[id === "search" ? "query" : id] = event.target.value;
      list.refresh();
      list.markOpen(detail.lead);
    });
  }
  for (const button of document.querySelectorAll("#table thead button")) button.addEventListener("click", () => list.sortBy(button));
  list.body.addEventListener("click", (event) => {
    const link = event.target.closest("tr")?.querySelector("a");
    if (link && !event.target.closest("a") && getSelection().isCollapsed) link.click();
  });

  const move = (step) => {
    const rows = [...list.body.children];
    const here = rows.indexOf(document.activeElement.closest("#rows tr") ?? list.rowOf(detail.lead));
    if (here + step >= rows.length) list.showMore();
    const next = list.body.children[Math.max(here + step, 0)];
    if (!next) return;
    opener = next.querySelector("a");
    opener.focus();
    if (!detail.lead) return;
    history.replaceState(null, "", opener.hash);
    follow();
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && detail.lead) close();
    else if (event.key === "/" && !event.target.closest("input[type=search]")) search.focus();
    else if (event.key === "ArrowDown" && (typing === null || typing === search)) move(1);
    else if (event.key === "ArrowUp" && typing === null) move(-1);
    else return;
    event.preventDefault();
  });
  follow();
}

function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

try {
  start(await unpack());
} catch (error) {
  const old = typeof DecompressionStream === "undefined";
  const text = old ? "This page needs a browser from 2023 or later." : `The leads could not be unpacked: ${error.message}`;
  Object.assign(document.getElementById("notice"), { textContent: text, hidden: false });
}
