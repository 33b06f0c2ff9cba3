"""The lead workbench: every scored lead of a night, ranked and explained, in one offline HTML file.

What the table of all leads needs stands in one pack, which is read at once; the receipts and the rest of what is known of single leads
stand in blocks behind it, each of which is read when one of its leads is opened.
"""

from __future__ import annotations

from pls_ml.reports.lead_content import LeadPage, check_leads
from pls_ml.reports.lead_packs import list_leads, pack_leads
from pls_ml.reports.offline_page import render_offline_page
from pls_ml.reports.packing import LONG, pack_columns
from pls_ml.reports.plain_text import clean_id, clean_text


def render_lead_page(page: LeadPage) -> str:
    """Takes a page's content; returns one self-contained HTML file, the same bytes for the same content.

    Refuses a receipt that misses its score by more than 1e-9, a score that is no probability, an unknown signal, band or lead, and a lead
    or a handoff position that is given twice.
    """
    leads = page.leads.assign(lead_id=[clean_id(str(lead)) for lead in page.leads["lead_id"]], given=page.leads["lead_id"])
    leads = leads.sort_values(["rank", "lead_id"], ignore_index=True)
    check_leads(page, leads)
    facts = [(clean_text(label), clean_text(sentence, LONG)) for label, sentence in page.facts]
    packs = {"data": pack_columns(*list_leads(page, leads)), "blocks": pack_leads(page, leads)}
    texts = {"title": clean_text(page.title), "as_of": clean_text(page.as_of), "facts": facts, "leads": len(leads)}
    return render_offline_page("lead_page", texts | packs)
