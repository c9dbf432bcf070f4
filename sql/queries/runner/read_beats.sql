SELECT instance, beat, withdrawn FROM instances
