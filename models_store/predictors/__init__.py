"""The kinds of fitted model that an artifact can hold.

A kind is one module here and one entry in
:data:`models_store.predictors.single.SINGLE_KINDS`, of which combinations are made. Training
evaluates the same classes that serving loads: what is scored is what is served.
"""
