"""How to reach an API server: logins, proxies, TLS, HTTP on one connection, or kubectl.

``validator.kubeconfig`` says where the cluster is, ``validator.api`` asks it;
these are the parts that both are made of.
"""
