"""Documents made of a few lines, as an EHR would send them."""

import base64
import io
import zipfile
from datetime import UTC, datetime

import orjson

from cds_service.documents import reading
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
_DECODER = fhir.decoder(fhir.AnyResource)
PATIENT = {
    "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1960-01-02",
    "name": [{"family": "Alvarez", "given": ["Maria"]}], "identifier": [{"value": "MRN-0048213"}],
}  # fmt: skip


def row(kind, id_, **members):
    owner = "patient" if kind == "AllergyIntolerance" else "subject"
    return {"resourceType": kind, "id": id_, owner: {"reference": "Patient/p1"}, **members}


def record(*rows, listed=(), patient=PATIENT):
    found = [_DECODER.decode(orjson.dumps(r)) for r in (patient, *rows)]
    return PatientRecord.from_resources(found, [None] * len(found), "p1", NOW, listed=frozenset(listed))


def note(content, id_="n1", media_type="text/plain", title="Clinic note", date="2026-05-03", **members):
    data = content if isinstance(content, bytes) else content.encode()
    attachment = {"contentType": media_type, "data": base64.b64encode(data).decode(), "title": title}
    return row("DocumentReference", id_, date=f"{date}T10:00:00Z", content=[{"attachment": attachment}], **members)


def read(*notes, about=None):
    return reading.documents(notes, about or record(), lambda url: "absent")


def docx(*paragraphs, table=()):
    from docx import Document

    made, out = Document(), io.BytesIO()
    for text in paragraphs:
        made.add_heading(text[2:]) if text.startswith("# ") else made.add_paragraph(text)
    if table:
        rows = made.add_table(len(table), len(table[0]))
        for cells, texts in zip(rows.rows, table, strict=True):
            for cell, text in zip(cells.cells, texts, strict=True):
                cell.text = text
    made.save(out)
    return out.getvalue()


def pdf(*pages):
    """A PDF by hand: a page without text where a text is empty."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ""]
    kids = []
    for text in pages:
        drawn = "BT /F1 12 Tf 72 720 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in text.split("\n")) + " ET"
        stream = drawn if text else "0 0 m"
        objects.append(f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream")
        kids.append(len(objects) + 1)
        font = "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {len(objects)} 0 R{font}>>")
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{k} 0 R' for k in kids)}]>>"
    body, places = "%PDF-1.4\n", []
    for n, content in enumerate(objects, 1):
        places.append(len(body))
        body += f"{n} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    return f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}".encode("latin-1")


def bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 70_000_000)
    return out.getvalue()


def ccda(section="<paragraph>Penicillin: hives.</paragraph>", name="Maria", family="Alvarez", born="19600102"):
    return f"""<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><recordTarget><patientRole>
<id extension="MRN-0048213"/><patient><name><given>{name}</given><family>{family}</family></name>
<birthTime value="{born}"/></patient></patientRole></recordTarget><component><structuredBody><component><section>
<title>Allergies</title><text>{section}</text></section></component></structuredBody></component>
</ClinicalDocument>""".encode()
