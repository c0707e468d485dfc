"""Where Hypothesis meets the kit: it calls `register` whenever it is imported, so nothing heavy is imported before."""


def register() -> None:
    """Tell Hypothesis how the domain's types are made."""
    from ocs_core.testkit.strategies.entities import register as register_types

    register_types()
