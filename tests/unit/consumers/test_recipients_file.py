"""The recipients' file: everything that is wrong is told in one go, with recipient and field."""

import pytest

from ocs_adapters.consumers.notifications.recipients import Recipient, RecipientsWrong, read_recipients
from tests.contract.recipients import SECRET

NEW = "whsec_" + "bmV3" * 8
RIGHT = f"""
[[recipient]]
name = "crm"
codes = ["paymentReceived", "documentCreated"]
webhook = "https://crm.example.com/hooks?tenant=7"
secret = "{SECRET}"

[[recipient]]
name = "collections"
codes = ["*"]
webhook = "http://[::1]:8080/"
secret_env = "COLLECTIONS_SECRET"

[[recipient]]
name = "Operations, night"
codes = ["collectionStart"]
email = "ops@example.com"
"""


def read(text: str, **environ: str) -> list[Recipient]:
    return list(read_recipients(text, "recipients.toml", environ))


def failures(text: str, **environ: str) -> list[str]:
    with pytest.raises(RecipientsWrong) as raised:
        read(text, **environ)
    assert SECRET not in str(raised.value)
    return str(raised.value).splitlines()


def test_recipients_are_read_with_their_channels() -> None:
    crm, collections, operations = read(RIGHT, COLLECTIONS_SECRET=SECRET)
    assert (crm.webhook, crm.secrets) == ("https://crm.example.com/hooks?tenant=7", [SECRET])
    assert (collections.name, collections.secrets, collections.email) == ("collections", [SECRET], None)
    assert (operations.name, operations.email, operations.webhook) == ("Operations, night", "ops@example.com", None)
    assert [r.wants("documentCreated") for r in (crm, collections, operations)] == [True, True, False]


def test_nobody_at_all_may_be_told() -> None:
    assert read("") == []


def test_a_secret_that_is_rotated_leaves_the_one_before_it_valid() -> None:
    crm, collections, _ = read(
        RIGHT.replace("secret =", f'previous_secret = "{NEW}"\nsecret =').replace(
            "secret_env =", 'previous_secret_env = "BEFORE"\nsecret_env ='
        ),
        COLLECTIONS_SECRET=SECRET,
        BEFORE=NEW,
    )
    assert (crm.secrets, collections.secrets) == ([SECRET, NEW], [SECRET, NEW])


def test_what_is_wrong_with_the_secret_before_is_told() -> None:
    told = failures(
        f'''
    [[recipient]]
    name = "crm"
    codes = ["*"]
    webhook = "https://a.example.com/"
    previous_secret = "whsec_short"
    previous_secret_env = "MISSING"
    [[recipient]]
    name = "mail"
    codes = ["*"]
    email = "ops@example.com"
    previous_secret = "{SECRET}"
    '''
    )
    assert told == [
        "[[recipient]] 1 (crm), secret: give the secret that webhooks are signed with: either secret or secret_env.",
        "[[recipient]] 1 (crm), previous_secret: give either previous_secret or previous_secret_env.",
        "[[recipient]] 1 (crm), previous_secret: give whsec_ and 24 to 64 random bytes in base64.",
        "[[recipient]] 1 (crm), previous_secret_env: MISSING is not set.",
        "[[recipient]] 2 (mail), previous_secret: an e-mail is not signed; leave it out.",
        "recipients.toml has 5 failures; nothing was sent.",
    ]


def test_a_secret_is_not_shown() -> None:
    assert all(SECRET not in repr(recipient) for recipient in read(RIGHT, COLLECTIONS_SECRET=SECRET))


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = f"""
    [[recipient]]
    name = "crm"
    codes = ["paymentRecieved"]
    webhook = "ftp://crm"
    secret = "whsec_c2hvcnQ="
    [[recipient]]
    name = "crm"
    codes = []
    [[recipient]]
    codes = ["*"]
    webhook = "https://a.example.com/"
    email = "ops"
    colour = "red"
    [[recipient]]
    name = "both"
    codes = ["*"]
    webhook = "https://me:pw@a.example.com/"
    secret = "{SECRET}"
    secret_env = "MISSING"
    [[recipient]]
    name = "mail"
    codes = "*"
    email = "@example.com"
    secret = "{SECRET}"
    [[recipient]]
    name = "odd"
    codes = ["*"]
    webhook = 7
    """
    told = failures(text)
    assert told[-1] == f"recipients.toml has {len(told) - 1} failures; nothing was sent."
    expected = [
        ("[[recipient]] 1 (crm), codes:", "there is no notification paymentRecieved; there are paymentReceived, "),
        ("[[recipient]] 1 (crm), webhook:", "give an address such as https://example.com/hooks."),
        ("[[recipient]] 1 (crm), secret:", "give whsec_ and 24 to 64 random bytes in base64."),
        ("[[recipient]] 2 (crm), name:", "recipient 1 has the same name."),
        ("[[recipient]] 2 (crm), codes:", "give a list of codes of notifications"),
        ("[[recipient]] 2 (crm), webhook:", "give either a webhook or an email."),
        ("[[recipient]] 3, colour:", "there is no such field; the fields are name, codes, webhook, secret"),
        ("[[recipient]] 3, name:", "give 1 to 60 characters"),
        ("[[recipient]] 3, webhook:", "give either a webhook or an email."),
        ("[[recipient]] 3, secret:", "give the secret that webhooks are signed with"),
        ("[[recipient]] 4 (both), webhook:", "put no password into the address"),
        ("[[recipient]] 4 (both), secret:", "either secret or secret_env."),
        ("[[recipient]] 4 (both), secret_env:", "MISSING is not set."),
        ("[[recipient]] 5 (mail), codes:", "give a list of codes"),
        ("[[recipient]] 5 (mail), email:", "'@example.com' is no address such as ops@example.com."),
        ("[[recipient]] 5 (mail), secret:", "an e-mail is not signed; leave it out."),
        ("[[recipient]] 6 (odd), webhook:", "give a text."),
    ]
    for place, said in expected:
        assert any(line.startswith(place) and said in line for line in told), (place, said, told)
    assert len(told) == len(expected) + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[recipient]", "recipients.toml is not TOML"),
        ("[recipient]\nname = 'x'", "recipient: write each one under a [[recipient]] of its own."),
        ("recipient = 7", "recipient: write each one under a [[recipient]] of its own."),
        ("[[recipients]]\nname = 'x'", "recipients: there is nothing but [[recipient]] in this file."),
    ],
)
def test_a_file_of_another_form_is_told(text: str, said: str) -> None:
    assert said in failures(text)[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "crm.example.com",
        "https://",
        "https://a b/",
        "https://a:0/",
        "https://a:x/",
        "https://[::1/",
        "https://é.cz/",
        "ftp://me:sesame@a.example.com/",
        "me:sesame@a.example.com",
        "https://me:sesame@[a/",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    text = f'[[recipient]]\nname = "crm"\ncodes = ["*"]\nwebhook = "{url}"\nsecret = "{SECRET}"'
    (told, _) = failures(text)
    assert told.startswith("[[recipient]] 1 (crm), webhook: ")
    assert "sesame" not in told


@pytest.mark.parametrize("secret", ["", "whsec_", SECRET.removeprefix("whsec_"), "whsec_é", "whsec_!" + "A" * 39])
def test_what_is_no_secret_is_refused_wherever_it_comes_from(secret: str) -> None:
    text = '[[recipient]]\nname = "crm"\ncodes = ["*"]\nwebhook = "https://a.example.com"\nsecret_env = "S"'
    (told, _) = failures(text, S=secret)
    assert told.startswith("[[recipient]] 1 (crm), secret_env: give whsec_ and")
