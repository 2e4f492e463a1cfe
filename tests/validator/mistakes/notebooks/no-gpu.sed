/nvidia.com/d
