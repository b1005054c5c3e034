"""Recipes made of other recipes."""
