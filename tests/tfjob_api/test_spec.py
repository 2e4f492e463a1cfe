from tests.tfjob_api.builders import parsed, replica


def test_a_ps_without_template_is_a_default_ps():
    job = parsed(replica("MASTER"), {"tfReplicaType": "PS"})
    assert job.problem == ""
    assert [each.is_default_ps for each in job.replica_specs] == [False, True]


def test_children_carry_40_characters_of_a_long_name():
    job = parsed(name="a" * 50)
    assert job.child_name("MASTER", 0) == "a" * 40 + "-master-76no-0"
    assert job.problem == ""


def test_the_termination_policy_names_the_chief():
    chief = {"chief": {"replicaName": "WORKER", "replicaIndex": 1}}
    job = parsed(replica("WORKER", 2), terminationPolicy=chief)
    assert (job.chief, job.problem) == (("WORKER", 1), "")


def test_a_chief_is_a_master_by_another_name():
    job = parsed(replica("CHIEF"), replica("WORKER"))
    assert (job.chief, job.problem) == (("CHIEF", 0), "")
