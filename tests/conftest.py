"""Fixtures for every test."""

import pathlib

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    """Returns the repository's folder."""
    return pathlib.Path(__file__).parents[1]
