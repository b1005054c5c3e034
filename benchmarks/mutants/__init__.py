"""Whether tests notice what is wrong: a sample of mutants, and how many of them fail a test.

``python -m benchmarks.mutants --seed 7 --per-room 30`` draws lines of the code by chance, changes
each in one place, runs the tests that reach it, and prints the changes that no test noticed.
"""
