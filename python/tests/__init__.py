"""Tests of the Python client; run from the folder above: python3 -m unittest tests.test_x"""
