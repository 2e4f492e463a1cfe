"""Module 1: an image of the learner's own, run once, and loaded into the cluster."""

from validator.checks import (
    built_on_the_sample_image,
    engine_answers,
    entry_point,
    image_built,
    not_root,
    on_the_cluster,
    ran,
    trained_in_container,
)
from validator.engine import exercise
from validator.subjects import LocalImage

IMAGE = "localhost/module1-ex1:v1"
FOLDER = "{checkout}/modules/1-docker"

exercise(
    "1.1",
    "An image of your own",
    page="1-docker#exercise-1",
    subject=LocalImage(IMAGE),
    install=(
        "python -m cluster base",
        f"docker build --tag {IMAGE} --file {FOLDER}/solution/Dockerfile {FOLDER}/starter",
        "sh -c 'docker rm --force module1-ex1 || true'",
        f"docker run --name module1-ex1 {IMAGE} --max-steps 100",
        f"python -m cluster load {IMAGE}",
    ),
    checks=[
        engine_answers(),
        image_built(),
        built_on_the_sample_image(),
        entry_point(),
        not_root(),
        ran(100),
        trained_in_container(100),
        on_the_cluster(),
    ],
)
