"""The notification handler, put together: who is told, and how they are reached."""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.notifications.audit import Audit
from ocs_adapters.consumers.notifications.deliveries import Deliveries
from ocs_adapters.consumers.notifications.mail import MailChannel, MailServer
from ocs_adapters.consumers.notifications.recipients import Recipient, RecipientsWrong, is_address, read_recipients
from ocs_adapters.consumers.notifications.sender import Channel, Sender
from ocs_adapters.settings import Settings
from ocs_adapters.sql.database import Database
from ocs_core.errors import InvalidValue, OcsError


def topics(settings: Settings) -> Collection[str]:
    """The topic of notifications, and those that some were given of their own."""
    further = (topic.strip() for topic in settings.notifications_further_topics.split(","))
    return sorted({settings.notifications_topic, *filter(None, further)})


def recipients(settings: Settings) -> Sequence[Recipient]:
    """Who is told. Raises `OcsError` with everything that is wrong with them, and with how e-mail is to be sent."""
    if settings.recipients_file is None:
        raise OcsError("OCS_RECIPIENTS_FILE is not set; name the TOML file of those who are to be told.")
    path = Path(settings.recipients_file)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RecipientsWrong(f"{path} is not UTF-8.") from None
    wrong = _wrong_with_mail(settings)
    try:
        found = read_recipients(text, str(path), os.environ)
    except RecipientsWrong as error:
        raise RecipientsWrong("\n".join([*wrong, str(error)])) from None
    if any(recipient.email for recipient in found):
        wrong += [
            f"OCS_{name.upper()} is not set, and there are recipients of e-mail."
            for name in ("smtp_url", "mail_from")
            if getattr(settings, name) is None
        ]
    if wrong:
        raise RecipientsWrong("\n".join(wrong))
    return found


def _wrong_with_mail(settings: Settings) -> list[str]:
    wrong = []
    if settings.smtp_url is not None:
        try:
            MailServer.parse(settings.smtp_url)
        except InvalidValue as error:
            wrong.append(f"OCS_SMTP_URL cannot be read; {error}.")
    if settings.mail_from is not None and not is_address(settings.mail_from):
        wrong.append(f"OCS_MAIL_FROM is {settings.mail_from!r}; give an address such as ops@example.com.")
    return wrong


def audit(database: Database) -> Audit:
    """The deliveries of a database, for operators."""
    return Audit(database, utc_now)


@contextmanager
def sender(settings: Settings, database: Database) -> Iterator[Sender]:
    """What sends the deliveries of a database, until the end of the block. Raises `OcsError` as `recipients` does."""
    try:
        from ocs_adapters.consumers.notifications import webhooks
    except ImportError as error:
        raise OcsError(f"Webhooks need {error.name}; install ocs-rm[consumers].") from None
    told = recipients(settings)
    with webhooks.opened(utc_now) as opened:
        channels: dict[str, Channel] = {}
        for each in told:
            if each.webhook and each.secrets:
                channels[each.name] = webhooks.WebhookChannel(opened, each.webhook, each.secrets)
            elif each.email and settings.smtp_url and settings.mail_from:
                channels[each.name] = MailChannel(
                    server=MailServer.parse(settings.smtp_url),
                    sender=settings.mail_from,
                    to=each.email,
                    zone=ZoneInfo(settings.zone or "UTC"),
                    clock=utc_now,
                )
        yield Sender(Deliveries(database, utc_now), channels, utc_now)
