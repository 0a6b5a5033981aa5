"""Taking evidence in, piece by piece or at once; drawing over it; voiding it."""

from anze.evidence.actions.files import arrived, open_original, preview_file, shown_file, thumbnail_file
from anze.evidence.actions.matching import decide_match
from anze.evidence.actions.media import lay_over, plausibility_of, receive_media, subject_of, void_media
from anze.evidence.actions.uploads import Progress, append_piece, clear_uploads, declare_upload

__all__ = [
    "Progress",
    "append_piece",
    "arrived",
    "clear_uploads",
    "decide_match",
    "declare_upload",
    "lay_over",
    "open_original",
    "plausibility_of",
    "preview_file",
    "receive_media",
    "shown_file",
    "subject_of",
    "thumbnail_file",
    "void_media",
]
