"""Pages and addresses of evidence. What a phone or another room's page talks to, in short (docs/evidence.md has all):

    POST  evidence/uploads/          JSON: client_id, sha256, size, kind, role, subject_kind, subject and what else is
                                     known. 200 {"state": "received", "receipt": …} when this number is here already;
                                     201 {"state": "open", "upload": address, "offset": n, "piece": most bytes}
    HEAD  evidence/uploads/<uuid>/   Upload-Offset, Upload-Length (GET: the same as JSON)
    PATCH evidence/uploads/<uuid>/   Upload-Offset: n, body: the bytes from there. 204 with the new Upload-Offset;
                                     200 with the receipt after the last byte; 409 with the true Upload-Offset

Send `Accept: application/json` and, with POST and PATCH, `X-CSRFToken`. A refusal is problem details
(application/problem+json: type, title, detail, field); 401 means: sign in again. The receipt: id, sha256, size,
received_at, hints, and `same_as`, the sender's own earlier pieces of evidence that show the same picture.
"""

from anze.evidence.screens import matches, media, papers, serving, uploads

__all__ = ["matches", "media", "papers", "serving", "uploads"]
