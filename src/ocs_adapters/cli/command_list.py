"""Every command: where it is, and what it does in a sentence. It is imported when it is asked for; `ocs --help` needs none."""

from collections.abc import Mapping

_CLI = "ocs_adapters.cli"
COMMANDS: Mapping[str, tuple[str, str]] = {
    "backup": (
        f"{_CLI}.maintenance:backup",
        "Copy a database of SQLite to a file, as of one instant, while others go on writing to it.",
    ),
    "collect": (
        f"{_CLI}.collect:collect",
        "Calculate every payer's collection balance, and start collection where it is due.",
    ),
    "configure": (
        f"{_CLI}.configure:app",
        "Take master data from a file: what is new is added, what has the code of something there replaces it.",
    ),
    "consume": (f"{_CLI}.consume:app", "Read the streaming platform, and make something of its messages."),
    "dead-letters": (
        f"{_CLI}.consume:letters",
        "Messages that a consumer could not deal with: show them, and decide on them.",
    ),
    "deliveries": (
        f"{_CLI}.deliveries:app",
        "Notifications on their way to recipients: show what became of them, and try again.",
    ),
    "events": (
        f"{_CLI}.events:events",
        "Print the published messages as JSON lines, the oldest first, after moving what waits to be published.",
    ),
    "finance": (
        f"{_CLI}.finance:finance",
        "Show what ocs consume finance has made of the messages, by the rules of the open balance: receivables by age, what "
        "all open balances add up from, payments that belong to no account by age, and payments per day and method.",
    ),
    "import": (f"{_CLI}.receivables:app", "Take over what is in files, and take it back."),
    "kafka": (
        f"{_CLI}.kafka:app",
        "Apache Kafka, the streaming platform that OCS_KAFKA_SERVERS names: make its topics.",
    ),
    "key": (f"{_CLI}.keys:app", "Keys of applications that call the HTTP API: add, list and revoke them."),
    "maintenance": (f"{_CLI}.maintenance:app", "Keep the databases in order: forget what is old."),
    "migrate": (f"{_CLI}.database:migrate", "Bring the database to the newest schema, making it if there is none."),
    "open-balance": (
        f"{_CLI}.open_balance:open_balance",
        "Show all that is open of one account, due or not, whether or not its type is relevant to collection.",
    ),
    "outbox": (
        f"{_CLI}.outbox:app",
        "Messages that wait to be published: show them, and decide on those that are held.",
    ),
    "reconcile": (
        f"{_CLI}.reconcile:reconcile",
        "Compare the database, what finance holds and the topics: every entity, its version and a digest of its content.",
    ),
    "relay": (f"{_CLI}.relay:relay", "Publish the messages that wait in the outbox, until interrupted or terminated."),
    "rules": (
        f"{_CLI}.rules:rules",
        "Print every rule: its code, the field it is told at, the sentence it keeps true, and who applies it.",
    ),
    "runs": (
        f"{_CLI}.runs:app",
        "Collection runs: show how far they are and what failed, and end one where it is.",
    ),
    "schedule": (
        f"{_CLI}.schedule:app",
        "The collection run at its times: start it when it is due, and show when that is.",
    ),
    "settings": (
        f"{_CLI}.settings:settings",
        "Show every setting: its variable in the environment, what it is now, and what it says. Passwords are not shown.",
    ),
    "warehouse": (
        f"{_CLI}.warehouse:app",
        "Every message as ocs consume warehouse keeps it: ask questions, care for its files.",
    ),
    "worker": (
        f"{_CLI}.worker:worker",
        "Calculate the slices of collection runs that come over Kafka, until interrupted or terminated.",
    ),
}
"""A function, or an `App` with commands of its own, as `module:name`; and the sentence that its help begins with."""
