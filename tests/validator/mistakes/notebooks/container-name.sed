s/\\"name\\": \\"tensorflow\\"/\\"name\\": \\"training\\"/
