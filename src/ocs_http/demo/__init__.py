"""A made-up company to try everything on: its ledger, and the five use-cases over HTTP."""
