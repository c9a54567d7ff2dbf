"""What a name of a secret contains for certain: the expressions with which names are found in texts."""

from __future__ import annotations

from log_aggregator_redact.alternation import alternatives, by_letter
from log_aggregator_redact.words import either

_LATIN = (
    "mot[ _-]de[ _-]passe|palavra[ _-]passe|kata[ _-]sandi|parola d'ordine|"
    "pass[ _-]?(?:phrase|word|code)|pass|"
    "pwd|pswd|pword|psw|kennwort|wachtwoord|wachtzin|senha|contrase|haslo|heslo|salasana|losenord|adgangskode|parola|"
    "jelszo|kodeord|lozinka|geslo|parool|katasandi|palavra-?passe|geheimnis|"
    "clave[ _-]?secreta|chave[ _-]?secreta|chiave[ _-]?segreta|cle[ _-]?secrete|"
    "motdepasse|mdp|secret|token|cred|otp|cv[vcn]|psk|bearer|kek|dek|sas|authtok|_auth|xauth|puk|authoriz|authoris|cookie|"
    "session ids?|session|sess[_-]?id|sessid|phpsessid|connect\\.sid|mnemonic|phrase|"
    "(?:recovery|backup|verification|auth|authorization|one[_. -]?time|sms|mfa|"
    r"two[_. -]?factor|security|access|pin)[_. -]?codes?|"
    "saml|assertion|jwt|csrf|xsrf|verifier|magic[_-]?link|cardnumber|card_number|creditcard|credit_card|"
    r"jeton[ _-]?(?:d'?)?(?:acces|api)|"
    r"cl(?:ave|e)[ _-]?(?:de[ _-]?)?(?:api|acceso|privada)|token[ _-]?(?:de|d'?)[ _-]?acces+o?|"
    r"chiave[ _-]?(?:di[ _-]?)?(?:api|accesso|privata)|chave[ _-]?(?:de[ _-]?)?(?:api|acesso|privada)|api[ _-]?sleutel|"
    r"redis[_-]?auth|security[_. -]?answer|geheimzahl|"
    r"shared[_. -]?access[_. -]?signature|client[_. -]?key[_. -]?data|device[_. -]?code|auth[_-]?id|otc|pwrd|pasword|"
    r"connect[_. -]?sid|pw[_-]?hash|pepper|authentication|trust[_. -]?center[_. -]?key|nwk[_-]?s[_-]?key|fob[_. -]?key|"
    rf"(?:{either('keys')}|{either('vendors')})[_. -]?keys?|keymaterial|key_material"
)
_SHORT = "pin|pw|sid|auth|ticket|code|sso|tok|clave|jeton"
"""Too short to be looked for inside of a word: they stand alone or behind a separator."""

_OTHER = (
    "пароль|гасло|密码|密碼|口令|パスワード|비밀번호|암호|hasło|lösenord|şifre|parolă|contraseña|slaptažodis|"
    "mật ?khẩu|парола|лозинка|κωδικός|סיסמה|geheimschlüssel|كلمة ?المرور|كلمة ?السر|पासवर्ड|รหัสผ่าน|暗証番号|jelszó|"
    "(?:api|wlan|netzwerk|zugangs|zugriffs|privater|privaten|geheimer)[ _-]?schlüssel|"
    "clé[ _-]?(?:secr(?:ete|ète)|(?:d(?:'|’)?)?(?:api|acc(?:e|è)s))|jeton[ _-]?(?:d(?:'|’)?)?accès|"
    "token[ _-]?d(?:'|’)?accès|ключ[ _-]?доступа|токен"
)

PART = f"(?:{by_letter(f'{_LATIN}|{_OTHER}')})"
"""In lower case; every name of a secret that is not short contains it."""

SHORT = f"(?:{_SHORT})"

TAIL = r"[\w.$-]{0,40}+"
"""What may stand behind it in the same name."""

_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _in_cases(names: str) -> str:
    """The names with other than ASCII letters in all cases: shapes are in lower case as to ASCII only."""
    cases = [case.translate(_LOWER) for one in alternatives(names) for case in (one, one.capitalize(), one.upper())]
    return "|".join(dict.fromkeys(cases))


_CASES = _in_cases(_OTHER)

NEAR = rf"(?:(?:{_LATIN}|{_CASES})[a-z0-9_.$-]*|(?:^|[^a-z0-9])(?:[a-z0-9]*[_.-])*{SHORT}|[a-z]pw)"
"""In RE2, for lower-case shapes: what `PART` and `SHORT` find."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$-"
NAME_LETTERS = frozenset(_LETTERS)


def name_before(text: str, start: int, stop: int) -> str:
    """The whole name of which a part stands at `start` to `stop`."""
    before = text[max(0, start - 60) : start]
    return before[len(before.rstrip(_LETTERS)) :] + text[start:stop]


def lowered(text: str) -> str:
    """The text in lower case, with each character where it was."""
    low = text.lower()
    return low if len(low) == len(text) else text.translate(_LOWER)
