"""Bars of exchanges and of Yahoo, from where they are given out to where they are held."""
