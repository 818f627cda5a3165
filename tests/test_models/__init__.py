"""Tests of backbones, necks, heads, losses and layers."""
