import pytest

from grpc_tensorflow_server import grpc_tensorflow_server
from tfjob_operator import parameter_server

CLUSTER = {"worker": ["w:1"], "ps": ["p0:2", "p1:2"], "master": ["m:3"]}


def test_the_notation_of_2017_has_the_types_sorted():
    assert parameter_server.cluster_spec(CLUSTER) == "master|m:3,ps|p0:2;p1:2,worker|w:1"


def test_the_program_reads_what_the_operator_writes():
    assert grpc_tensorflow_server.read_cluster(parameter_server.cluster_spec(CLUSTER)) == CLUSTER


@pytest.mark.parametrize("text", ["", "ps", "ps;p:1"])
def test_the_program_refuses_what_is_no_cluster(text):
    with pytest.raises(ValueError):
        grpc_tensorflow_server.read_cluster(text)
