"""Nodes for the tests of ngcpcfg; each is made once and copied."""

from pathlib import Path

import pytest

from temporary_node import FILES, TemporaryNode


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> TemporaryNode:
    """The node of which `fresh_node` is a copy."""
    node = TemporaryNode(tmp_path_factory.mktemp("deployed"))
    assert node.run("initialise").status == 0
    assert node.deploy(FILES).status == 0
    return node


@pytest.fixture(scope="session")
def applied(deployed: TemporaryNode, tmp_path_factory: pytest.TempPathFactory) -> TemporaryNode:
    """The node of which `node` is a copy."""
    node = deployed.copy(tmp_path_factory.mktemp("applied"))
    assert node.run("apply").status == 0
    node.actions()
    return node


@pytest.fixture
def empty_node(tmp_path: Path) -> TemporaryNode:
    """A node on which ngcpcfg has never run."""
    return TemporaryNode(tmp_path)


@pytest.fixture
def fresh_node(deployed: TemporaryNode, tmp_path: Path) -> TemporaryNode:
    """A node whose configuration has been deployed, but never applied."""
    return deployed.copy(tmp_path)


@pytest.fixture
def node(applied: TemporaryNode, tmp_path: Path) -> TemporaryNode:
    """A node that runs with its configuration."""
    return applied.copy(tmp_path)
