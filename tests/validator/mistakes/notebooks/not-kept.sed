/volumeMounts/d
