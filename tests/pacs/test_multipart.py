"""An answer gives the instance whole, or says that it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.items.dicomweb.multipart import CutError, NoDicomError, first_part

MARK = "b-7f19=x"
KIND = f'multipart/related; type="application/dicom"; boundary="{MARK}"'


def answer(content: bytes, preamble: bytes = b"") -> bytes:
    head = f"--{MARK}\r\nContent-Type: application/dicom\r\nContent-Length: 7\r\n\r\n".encode()
    return preamble + head + content + f"\r\n--{MARK}--\r\n".encode()


@given(
    st.binary().filter(lambda content: MARK.encode() not in content),
    st.sampled_from([b"", b"\r\n", b"hi\r\n"]),
)
def test_the_part_is_the_content(content, preamble):
    assert first_part(answer(content, preamble), KIND) == content


@given(st.binary(max_size=200).filter(lambda content: MARK.encode() not in content), st.data())
def test_a_cut_answer_is_never_taken_for_whole(content, data):
    whole = answer(content)
    n_kept = data.draw(st.integers(0, whole.rindex(MARK.encode()) + len(MARK) - 1))
    with pytest.raises(CutError):
        first_part(whole[:n_kept], KIND)


def test_a_bare_instance_is_taken_and_a_page_is_not():
    assert first_part(bytearray(b"DICM"), "application/dicom; transfer-syntax=1.2.840.10008.1.2.1") == b"DICM"
    for kind in ("text/html", "", "multipart/related", 'multipart/related; boundary=""'):
        with pytest.raises(NoDicomError):
            first_part(answer(b"DICM"), kind)
