"""Puts small faults into code, one at a time, and asks whether tests notice.

python -m tests.mutants mmpar/models/heads mmpar/compat.py --jobs 2 -- tests

The tests are collected, and run once to learn what each costs and which lines it
reaches. Each mutant meets those that reach its statement, until one fails, in a forked
process that has everything imported: only the code of the faulty function is exchanged.
What runs when a module is imported (defaults, class bodies, decorators) meets them in a
process that imports the mutant in place of its file. Files are left alone, and
processes that a test starts read those.
"""
