"""The labs, and the tooling that keeps each page, its notebook and its solution one and the same.

A page (`modules/<n>-<name>/README.md`) is the only source. `page` reads it and says how one is
written (`fence`: the attributes of a block, `edit`: a change that the learner makes by hand).

- `notebooks` writes the notebook and the included manifests from it. `cells` has what a cell holds,
  and `notebook.sh` what every notebook begins with (`again`, `here`: its helpers).
- `runner` runs its commands in one `shell`, in a copy of the checkout (`workplace`), and compares
  the output (`compare`, `workloads`). `record` writes new outputs into the page.
- `times` compares how long that took with what the page states.
"""
