import pytest


@pytest.fixture(scope="session")
def ray_cluster():
    """One local Ray cluster for all tests of this folder; engines in this process use it."""
    pytest.importorskip("ray", reason="ray is not installed (pip install -e '.[ray]' -c constraints.txt)")
    from batch.ray_cluster import start_local

    with start_local(cpus=4, object_store_bytes=100 * 2**20):
        yield
