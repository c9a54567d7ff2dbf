"""Scripts that are written without blanks: where their words are cut."""

from __future__ import annotations

BLANKLESS = (
    "\u0e00-\u0e4f\u0e5a-\u0eff\u1000-\u103f\u1780-\u17df"  # Thai, Lao, Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uac00-\ud7af\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Their letters, for the inside of a character class: Chinese, Japanese, Korean (between a number and its counter)."""

KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
"""What Japanese writes foreign words and names with, for the inside of a character class."""

HIRAGANA = "\u3041-\u309f"
"""What Japanese writes particles and endings with, for the inside of a character class: they end a word."""

PUNCTUATION = (
    "\u3000-\u3004\u3008-\u3020\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
    "\u2018-\u201f\u00ab\u00bb\u060c\u061b\u061f"
)
"""What stands between words in these scripts, in Arabic, and around quotations, for the inside of a character class."""
