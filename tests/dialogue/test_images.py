"""Images are rendered anew in the process apart and go to a local model alone; what it says is labelled unverified."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pydicom
import pytest
from faulty_model import misbehaving
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from cds_service.dialogue.images import LABEL, Reading, look
from cds_service.settings import Llm
from cds_service.summary.llm import LanguageModel


def picture(kind: str, size: int = 40) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), "red").save(out, kind)
    return out.getvalue()


def dicom() -> bytes:
    made = pydicom.Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = "1.2.3"
    made.PatientName = "Alvarez^Maria"
    made.Rows = made.Columns = 8
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.SamplesPerPixel, made.PixelRepresentation, made.PhotometricInterpretation = 1, 0, "MONOCHROME2"
    made.PixelData = np.arange(64, dtype=np.uint16).reshape(8, 8).tobytes()
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def read(
    image: bytes, *, local: bool = True, behaviour: str = "answer", vision: bool = True, elsewhere: bool = False
) -> tuple[Reading, list[dict[str, Any]]]:
    with misbehaving(behaviour, speak=lambda body: "A red <b>square</b>.") as server:
        llm = Llm(url=server.url, model="tiny", local=local, vision=vision, vision_elsewhere=elsewhere)
        return look(
            "What is it?", image, LanguageModel(llm, environ={}, allow_insecure_loopback=True), llm
        ), server.received


@pytest.mark.parametrize("image", [picture("PNG"), picture("JPEG"), dicom()], ids=["png", "jpeg", "dicom"])
def test_an_image_is_sent_as_png_without_its_tags_and_read_under_a_label(image: bytes) -> None:
    """No name of the file's header leaves; the answer is plain text and never a fact."""
    reading, (body,) = read(image)
    assert (reading.text, reading.label, reading.problem) == ("A red square .", LABEL, None)
    url = body["messages"][1]["content"][1]["image_url"]["url"]
    sent = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    assert sent.startswith(b"\x89PNG")
    assert b"Alvarez" not in sent


@pytest.mark.parametrize("image", [b"\x89PNG\r\n\x1a\nxx", b"words", dicom()[:300]], ids=["png", "text", "dicom"])
def test_a_damaged_image_is_not_sent(image: bytes) -> None:
    """It says so."""
    reading, received = read(image)
    assert (reading.text, received) == ("", [])
    assert "damaged" in str(reading.problem)


def test_a_server_elsewhere_is_sent_no_image() -> None:
    """A name within the picture could not be found."""
    reading, received = read(picture("PNG"), local=False)
    assert received == []
    assert "local" in str(reading.problem)


def test_a_setting_lets_a_server_elsewhere_see_images() -> None:
    """`llm.vision_elsewhere`, for a hospital that has an agreement with one."""
    reading, received = read(picture("PNG"), local=False, elsewhere=True)
    assert (reading.text, len(received)) == ("A red square .", 1)


def test_a_model_that_reads_no_images_is_sent_none() -> None:
    """Unless `llm.vision` says that it does."""
    reading, received = read(picture("PNG"), vision=False)
    assert received == []
    assert "llm.vision" in str(reading.problem)


def test_a_model_that_fails_gives_no_reading() -> None:
    """The reason is told."""
    reading, _ = read(picture("PNG"), behaviour="error_500")
    assert "no reading" in str(reading.problem)
