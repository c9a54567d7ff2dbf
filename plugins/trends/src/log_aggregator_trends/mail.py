"""A message as an e-mail, sent over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from log_aggregator_trends.message import Message
from log_aggregator_trends.target import Target

_PORTS = {"smtp": 25, "smtps": 465}
_LOCAL = ("localhost", "127.0.0.1", "::1")


def send_mail(target: Target, message: Message, timeout: float) -> None:
    """Send one e-mail; blocks for `timeout` at most at each step. Raises `OSError`, `smtplib.SMTPException`.

    A password is sent over an encrypted connection only, or to this machine.
    """
    parts = urlsplit(target.address)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    with server:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif parts.scheme == "smtp" and parts.password and host not in _LOCAL:
            raise smtplib.SMTPNotSupportedError("the server offers no encryption, so no password is sent to it")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail_of(target, message))


def mail_of(target: Target, message: Message) -> EmailMessage:
    """The e-mail that tells a message."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"] = target.sender
    mail["To"] = target.to
    mail.set_content("\n\n".join(part for part in (message.text, message.link) if part))
    return mail
