"""OCS revenue management: the domain. Entities, rules and use-cases behind ports; pure Python and attrs.

    RegisterPayment(store, clock=clock, ids=ids)(RegisterPaymentRequest(...))

needs no server, no database and no configuration file. `docs/public-names.txt` lists what is stable.
"""
