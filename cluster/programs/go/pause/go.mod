module tfjob-workshop/cluster/pause

go 1.26.6
