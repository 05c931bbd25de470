"""Tests with Optuna: `make test-optuna`, by a Python that has it."""
