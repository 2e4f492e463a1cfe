"""Objects and a listener for the tests of indexes."""


def obj(uid, version, owner="tfjob", **fields):
    meta = {
        "uid": uid,
        "name": f"name-{uid}",
        "resourceVersion": str(version),
        "ownerReferences": [{"uid": owner, "controller": True}],
    }
    return {"metadata": {**meta, **fields.pop("metadata", {})}, **fields}


class Listener(list):
    def __call__(self, owner, view, deleted):
        self.append((owner, view, deleted))
