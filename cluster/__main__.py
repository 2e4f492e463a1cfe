"""python -m cluster: the workshop's local Kubernetes."""
import sys
from cluster import paths, up
name = sys.argv[sys.argv.index("--name")+1] if "--name" in sys.argv else "lab"
say=lambda t: print(t, flush=True)
getattr(up, sys.argv[1])(paths.cluster(name), say)
