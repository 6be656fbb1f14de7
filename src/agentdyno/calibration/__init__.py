"""Calibration: the largest load that the endpoint serves on time on this machine."""
