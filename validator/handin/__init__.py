"""What a learner hands in: a snapshot without what is nobody's business, and who took it.

``whitelist`` keeps the fields that checks read, ``redaction`` (one folder up)
then takes out what looks like a secret; ``identity`` says who, where and when;
``files`` writes and loads.
"""
