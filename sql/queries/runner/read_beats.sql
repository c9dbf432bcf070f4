SELECT instance, beat FROM instances
