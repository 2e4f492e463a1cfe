s/fashion-mnist:1/fashion-mnits:1/
