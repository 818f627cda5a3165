"""Feeds mutated files to every reader: python -m tests.mutate_inputs READER.

What readers promise of a faulty file is an error of a documented kind with the file's
name; never a signal, a hang, or a gigabyte.
"""
