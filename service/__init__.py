"""Roughcast over HTTP: forecasts, roughness and comparisons from the model store.

``service.app.create_app`` puts everything together; ``python -m service`` runs it. Routes translate
between JSON and the domain, and delegate. Nothing here fits a model or imports what fitting needs.
"""
