"""Pixels as most ImageNet weights expect them: RGB, normalized."""

pixels = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
