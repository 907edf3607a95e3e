"""Images as PNG of bounded size: DICOM by pydicom, PNG and JPEG by pillow. Runs in the process apart."""

from __future__ import annotations

import base64
import io
from typing import Any

from cds_service.documents.readable import Unreadable

MAX_SIDE = 1536  # pixels: more is made smaller
_MAX_PIXELS = 60_000_000


def png(data: bytes) -> str:
    """An image as PNG in base64, without what was written into its file beside it. Raises Unreadable.

    Of a DICOM object with several frames, the middle one, with the window that the object names.
    """
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    try:
        image = _dicom(data) if data[128:132] == b"DICM" else Image.open(io.BytesIO(data))
        if image.width * image.height > _MAX_PIXELS:
            raise Unreadable("size")
        image.thumbnail((MAX_SIDE, MAX_SIDE))
        kept = image.convert("L" if image.mode in ("L", "1", "I;16") else "RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError):
        raise Unreadable("damaged") from None
    out = io.BytesIO()
    kept.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def _dicom(data: bytes) -> Any:
    import numpy as np
    import pydicom
    from PIL import Image
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    found = pydicom.dcmread(io.BytesIO(data))
    if int(found.get("Rows", 0)) * int(found.get("Columns", 0)) > _MAX_PIXELS:
        raise Unreadable("size")
    frames = int(found.get("NumberOfFrames", 1) or 1)
    if frames > 1:
        from pydicom.pixels.utils import pixel_array

        pixels = pixel_array(io.BytesIO(data), index=frames // 2)
    else:
        pixels = found.pixel_array
    if found.get("SamplesPerPixel", 1) == 3:
        return Image.fromarray(pixels.astype("uint8"), "RGB")
    shown = apply_voi_lut(apply_modality_lut(pixels, found), found).astype("float64")
    low, high = float(shown.min()), float(shown.max())
    scaled = np.zeros_like(shown) if high == low else (shown - low) / (high - low)
    if found.get("PhotometricInterpretation") == "MONOCHROME1":
        scaled = 1 - scaled
    return Image.fromarray((255 * scaled).astype("uint8"), "L")
