"""Valid requests of every use-case, in a world that holds what they refer to: `valid_requests(RegisterPayment, world)`.

A strategy draws everything that a rule looks at so that the rule is kept, and a few of the fields that must not matter at
random. What a request needs and the world lacks, it makes. Further use-cases join with `@valid(TheUseCase)`.
"""

from ocs_core.testkit.strategies.requests import accounts, charging, documents, payments, processes, settlements
from ocs_core.testkit.strategies.requests.registry import valid, valid_requests

__all__ = ["accounts", "charging", "documents", "payments", "processes", "settlements", "valid", "valid_requests"]
