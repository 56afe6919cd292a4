# SPDX-License-Identifier: Apache-2.0
"""Cut a text that would take too many parts."""

from __future__ import annotations

from bisect import bisect_right

from airflow_provider_instasent.api.encoding import count


def shorten(text: str, max_parts: int, *, allow_unicode: bool) -> str:
    """Return the text, cut and ended with an ellipsis where it takes more parts than allowed.

    The ellipsis is `...` in GSM-7 and `…` in UCS-2. Where the characters that need UCS-2 stand so late that
    the text before them says more in GSM-7, they are cut off.

    :param text: the message text
    :param max_parts: the most parts it may take, at least 1
    :param allow_unicode: as for :func:`count`
    :raises ValueError: where `max_parts` is below 1
    """
    if max_parts < 1:
        raise ValueError(f"`max_parts` must be at least 1, not {max_parts}")
    size = count(text, allow_unicode=allow_unicode)
    if size.parts <= max_parts:
        return text
    endings = ("…", "...") if size.encoding == "UCS-2" else ("...",)
    kept = {ending: _beginning(text, ending, max_parts, allow_unicode) for ending in endings}
    ending = max(kept, key=lambda ending: len(kept[ending]))
    return kept[ending] + ending


def _beginning(text: str, ending: str, max_parts: int, allow_unicode: bool) -> str:
    """Return the longest beginning of whole clusters that fits with its ending; parts never shrink as a text grows."""

    def parts(length: int) -> int:
        return count(text[:length].rstrip() + ending, allow_unicode=allow_unicode).parts

    most = min(len(text), max_parts * 160)
    lengths = _lengths_of_whole_clusters(text, most)
    if len(lengths) == 1 or parts(lengths[1]) > max_parts:
        lengths = list(range(most))  # not even one cluster fits, and a torn one says more than none
    return text[: lengths[bisect_right(lengths, max_parts, key=parts) - 1]].rstrip()


def _lengths_of_whole_clusters(text: str, most: int) -> list[int]:
    """Return at which lengths a text tears nothing that is seen as one character: an emoji of several, a flag, ñ.

    :param most: the longest that counts
    """
    import regex

    # The character behind it tells whether a cluster ends at `most`.
    ends = (found.end() for found in regex.finditer(r"\X", text[: most + 1]))
    return [0, *(end for end in ends if end <= most)]
