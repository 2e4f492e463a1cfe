module tfjob-workshop/cluster/nvidia-smi

go 1.26.6
