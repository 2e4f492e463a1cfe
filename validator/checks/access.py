"""Checks of an account: its ServiceAccount, its Role, its RoleBinding, and who runs under it.

What counts is what the account may do: all RoleBindings of the namespace that name it, and the
rules of their Roles. A ClusterRole's rules are not read: one that is bound is more than asked.
"""

from __future__ import annotations

from validator.engine import Check, Seen
from validator.rights import Right, Rights, lacking, of_role, shown
from validator.snapshot import Object, listed, mapping, name_of, text
from validator.verdicts import Finding, blocked, could_not_check, not_started, wrong

# Who has made an object, as the API server notes it from the client's User-Agent.
PYTHON_CLIENT = "OpenAPI-Generator"
_KUBECTL = ("kubectl-client-side-apply", "kubectl-create", "kubectl")
_READS = frozenset({"serviceaccounts", "roles", "rolebindings"})


def account_exists(name: str, starter: str) -> Check:
    """The ServiceAccount is there; ``starter``: the manifest with which a learner begins."""

    def judge(seen: Seen) -> Finding | None:
        if seen.cluster.find("serviceaccounts", name) or seen.ended == "well":
            return None
        file = seen.exercise.file
        begun = any(seen.cluster.find(kind, name) for kind in ("roles", "rolebindings"))
        if begun or seen.object:
            return wrong(
                "none",
                f"there is no ServiceAccount {name}",
                f"a ServiceAccount named {name}, beside its Role",
                "Write it into your manifest, and apply it:",
                f"$ kubectl apply -f {file}",
            )
        return not_started(
            "nothing",
            f"no ServiceAccount {name}, no Role and no TfJob of that name in namespace "
            f"{seen.cluster.namespace}",
            f"an account for notebooks, named {name}, and a TfJob that a notebook makes",
            "If you have no copy of the starter yet, make one:",
            f"$ test -e {file} || cp {{checkout}}/{seen.exercise.folder}/starter/{starter} {file}",
            f"Complete {file} and apply it:",
            f"$ kubectl apply -f {file}",
        )

    return Check("account", f"ServiceAccount {name} exists.", judge, _READS)


def role_gives(name: str, wanted: Rights) -> Check:
    """The Role has these rights. wanted: {(API group, resource): verbs}."""

    def judge(seen: Seen) -> Finding | None:
        role = seen.cluster.find("roles", name)
        if role is None:
            return None if seen.ended == "well" else _no_role(seen, name)
        missing = lacking(wanted, of_role(role))
        if not missing:
            return None
        cause, found = _why_missing(role, missing)
        return wrong(
            cause,
            found,
            f"the rights to {shown(wanted)}",
            "Add what is missing to `rules` of the Role, and apply it:",
            f"$ kubectl apply -f {seen.exercise.file}",
        )

    return Check("role", f"Role {name} gives what the notebook needs.", judge, _READS)


def _no_role(seen: Seen, name: str) -> Finding:
    return wrong(
        "none",
        f"there is no Role {name}",
        f"a Role named {name}",
        "Write it into your manifest, and apply it:",
        f"$ kubectl apply -f {seen.exercise.file}",
    )


def _why_missing(role: Object, missing: Rights) -> tuple[str, str]:
    """(cause, what was found) for rights that a Role lacks."""
    lacks = Right(*min(missing))
    there = of_role(role)
    elsewhere = {r.group for r in map(Right._make, there) if r.resource == lacks.resource}
    if not there:
        return "empty", "the Role has no rules: it gives nothing"
    if elsewhere and lacks.group not in elsewhere:
        given = ", ".join(sorted(f'"{group}"' for group in elsewhere))
        return "group", (
            f"the Role has {lacks.resource} under apiGroups {given}, and they are of "
            f'"{lacks.group}"'
        )
    if all("/" in Right(*each).resource for each in missing):
        return "subresource", (
            f"the Role lacks {shown(missing)}: {lacks.resource} is a resource of its own, which "
            f"{lacks.resource.partition('/')[0]} does not include"
        )
    return "missing", f"the Role lacks {shown(missing)}"


def role_gives_no_more(name: str, wanted: Rights) -> Check:
    """It gives nothing beyond these rights and the verbs that only look."""

    def judge(seen: Seen) -> Finding | None:
        role = seen.cluster.find("roles", name)
        more = of_role(role or {}) - wanted
        more = frozenset(r for r in more if not _only_looks(Right(*r), wanted))
        if not more:
            return None
        stars = any("*" in right for right in more)
        return wrong(
            "star" if stars else "more",
            f"the Role gives also {shown(more)}",
            f"the rights to {shown(wanted)}, and no others",
            "Whoever opens a notebook has these rights. Take out what it does not need:",
            f"$ kubectl apply -f {seen.exercise.file}",
        )

    return Check("minimal", f"Role {name} gives nothing more.", judge, _READS)


def _only_looks(right: Right, wanted: Rights) -> bool:
    """Whether it watches or reads what may be read anyway."""
    read = {Right(*each)[:2] for each in wanted}
    return right.verb in ("get", "list", "watch") and right[:2] in read


def bound_to(name: str) -> Check:
    """A RoleBinding gives the Role, and nothing else, to the ServiceAccount of that name."""

    def judge(seen: Seen) -> Finding | None:
        bindings = seen.cluster.items("rolebindings")
        mine = [b for b in bindings if (name, seen.cluster.namespace) in _accounts(seen, b)]
        roles = [_role_of(b) for b in mine]
        if any(role != ("Role", name) for role in roles):
            return _more_than_the_role(seen, mine, name)
        if roles or seen.ended == "well":
            return None
        return _not_bound(seen, seen.cluster.find("rolebindings", name), name)

    return Check("binding", f"RoleBinding {name} gives the Role to the account.", judge, _READS)


def _accounts(seen: Seen, binding: Object) -> list[tuple[str, str]]:
    """(name, namespace) of each ServiceAccount among the subjects."""
    return [
        (text(subject, "name"), text(subject, "namespace") or seen.cluster.namespace)
        for subject in listed(binding, "subjects")
        if text(subject, "kind") == "ServiceAccount"
    ]


def _role_of(binding: Object) -> tuple[str, str]:
    role = mapping(binding, "roleRef")
    return text(role, "kind"), text(role, "name")


def _more_than_the_role(seen: Seen, bindings: list[Object], name: str) -> Finding:
    binding = next(b for b in bindings if _role_of(b) != ("Role", name))
    kind, role = _role_of(binding)
    return wrong(
        "cluster-role" if kind == "ClusterRole" else "other-role",
        f"RoleBinding {name_of(binding)} gives the account {kind} {role}: whoever opens a notebook "
        "has its rights, too",
        f"the Role {name} alone",
        "A binding's roleRef cannot be changed. Delete the RoleBinding, and make yours:",
        f"$ kubectl delete rolebinding {name_of(binding)}",
        f"$ kubectl apply -f {seen.exercise.file}",
    )


def _not_bound(seen: Seen, binding: Object | None, name: str) -> Finding:
    space = seen.cluster.namespace
    wanted = f"subjects: [{{kind: ServiceAccount, name: {name}, namespace: {space}}}]"
    there = next((n for a, n in _accounts(seen, binding or {}) if a == name), "")
    if binding is None:
        cause, found = "none", f"there is no RoleBinding {name}: the Role is given to nobody"
    elif there:
        cause = "namespace"
        found = f"the RoleBinding names the account {name} of namespace {there}"
    else:
        subjects = [f"{s.get('kind')} {s.get('name')}" for s in listed(binding, "subjects")]
        cause, found = "subject", f"the RoleBinding names {', '.join(subjects) or 'nobody'}"
    return wrong(
        cause,
        found,
        wanted,
        "Correct the RoleBinding in your manifest, and apply it:",
        f"$ kubectl apply -f {seen.exercise.file}",
    )


def runs_as(deployment: str, account: str) -> Check:
    """The Deployment's Pods run under this account."""

    def judge(seen: Seen) -> Finding | None:
        server = seen.cluster.find("deployments", deployment)
        if seen.ended == "well" and server is None:
            return None
        if server is None:
            return blocked(
                "missing",
                f"there is no Deployment {deployment}",
                "exercise 1 of this module, done",
                "Do exercise 1 first. This command checks it:",
                "$ python -m validator module8 --exercise 1",
            )
        given = text(server, "spec", "template", "spec", "serviceAccountName") or "default"
        if given == account:
            return None
        return wrong(
            "other",
            f"the Pods of Deployment {deployment} run as ServiceAccount {given}",
            f"serviceAccountName: {account}",
            "Give the Deployment its account. It makes a new Pod:",
            f"$ kubectl set serviceaccount deployment {deployment} {account}",
        )

    title = "The server runs under this account, and not as `default`."
    return Check("runs-as", title, judge, frozenset({"deployments"}))


def made_by_a_notebook() -> Check:
    """The Python client has made it, and not kubectl, by the API server's own notes."""

    def judge(seen: Seen) -> Finding | None:
        notes = listed(seen.object, "metadata", "managedFields")
        managers = [text(note, "manager") for note in notes if not text(note, "subresource")]
        wanted = "a TfJob that a cell of the notebook has made"
        by_hand = next((m for m in managers if m in _KUBECTL), "")
        if by_hand:
            return wrong(
                "kubectl",
                f"the TfJob was made by {by_hand}, says its metadata.managedFields",
                wanted,
                "Delete it, and run the notebook again:",
                f"$ kubectl delete tfjob {seen.subject.name}",
                f"$ sh {{checkout}}/{seen.exercise.folder}/execute.sh {{checkout}}/my-train.ipynb",
            )
        if PYTHON_CLIENT in managers:
            return None
        return could_not_check(
            "unknown",
            f"it cannot be seen who has made the TfJob ({', '.join(managers) or 'no notes'})",
            wanted,
            "If the check has not said done before, run the notebook again.",
        )

    return Check("made", "The Python client has made it, in a notebook.", judge)
