"""The machine drives the store in memory beside another one: the reference agrees with itself, and keeps the invariants."""

from ocs_core.testkit.stateful import revenue_machine
from tests.contract.stores import memory

TestMachine = revenue_machine(memory).TestCase
