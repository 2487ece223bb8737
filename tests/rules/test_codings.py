"""Texts by the column: ASCII, GB 18030 and UCS2 told from what is none of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmppscope.rules.codings import gb_states, high, swapped_ucs2
from cmppscope.tables import I64, U8

_TEXTS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.text("你好ab€𠀀㐂é0", max_size=20).map(lambda text: text.encode("gb18030")),
        st.lists(st.sampled_from([b"\x81", b"\x30", b"\xfe", b"\x80", b"\xff", b"@", b"\x7f"]), max_size=9).map(
            b"".join
        ),
    ),
    min_size=1,
)


def _laid_out(texts: list[bytes]) -> tuple[U8, I64, I64]:
    """Put texts into one buffer, each with a field of eight octets behind it."""
    length = np.array([len(text) for text in texts], np.int64)
    ends = np.cumsum(length + 8)
    return np.frombuffer(b"".join(text + b"reserve\xff" for text in texts), np.uint8), ends - length - 8, length


def _is_gb(text: bytes) -> bool:
    """Tell whether Python reads a text as GB 18030."""
    try:
        text.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


@given(_TEXTS)
def test_octets_above_ascii_are_seen_in_the_text_alone(texts: list[bytes]) -> None:
    """The field behind a text does not count."""
    assert high(*_laid_out(texts)).tolist() == [any(octet > 0x7F for octet in text) for text in texts]


@given(_TEXTS)
def test_gb_18030_is_what_python_reads_as_such(texts: list[bytes]) -> None:
    """Characters of one, two and four octets, and nothing left over."""
    states = gb_states(*_laid_out(texts))
    assert [state == 0 for state in states.tolist()] == [_is_gb(text) for text in texts]


_EVERYDAY = (
    "你好",
    "您的验证码是482913，请在5分钟内输入。",
    "尊敬的用户，您本月话费余额为12.50元，请及时充值。回复TD退订【中国移动】",
    "Hello, your code is 4711",
)
_REAL = (
    *_EVERYDAY,
    "一",
    "恏",
    "㐂𠮷野家",
    "饕餮魑魅魍魉",
    "您的驗證碼是482913，請於五分鐘內輸入。",
    "こんにちは、コードは4711です",
    "인증번호는 482913 입니다",
    "Ваш код подтверждения 4711",
    "رمز التحقق الخاص بك 4711",
    "รหัสยืนยันของคุณคือ 4711",
    "བཀྲ་ཤིས་བདེ་ལེགས།",
    "Mã xác nhận của bạn là 4711",
    "😀😃😄🎉",
    "000000",
    "一一一一",
    "NNNN最最",
    "",
)


@pytest.mark.parametrize("text", _REAL)
def test_real_text_is_not_taken_for_swapped(text: str) -> None:
    """Text of any language, rare characters and emoji, with the high octet first."""
    assert swapped_ucs2(*_laid_out([text.encode("utf-16-be")])).tolist() == [False]


@pytest.mark.parametrize("text", _EVERYDAY)
@pytest.mark.parametrize("repeated", [1, 3])
def test_everyday_text_with_swapped_octets_is_seen(text: str, repeated: int) -> None:
    """Chinese and English with the low octet first, also beside other texts and with a mark of the order in front."""
    swapped = (text * repeated).encode("utf-16-le")[:254]
    texts = [swapped, text.encode("utf-16-be"), b"\xff\xfe" + swapped[:200], b"\x4f"]
    assert swapped_ucs2(*_laid_out(texts)).tolist() == [True, False, True, False]
