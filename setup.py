"""Lets tools that still call setup.py work; everything stands in setup.cfg."""

from setuptools import setup

setup()
