import signal

import pytest

ray = pytest.importorskip("ray", reason="ray is not installed (pip install -e '.[ray]' -c constraints.txt)")


def test_a_local_cluster_stays_on_loopback_and_is_quiet(ray_cluster):
    [node] = ray.nodes()
    assert node["NodeManagerAddress"] == "127.0.0.1"
    assert ray.get_runtime_context().gcs_address.startswith("127.0.0.1:")
    assert not ray._private.worker.global_worker.node.webui_url


def test_the_handler_of_sigterm_is_left_to_the_job(ray_cluster):
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
