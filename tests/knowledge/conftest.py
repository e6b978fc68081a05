from hypothesis import settings

# Shared machines pause now and then, which is no property of the code.
settings.register_profile("knowledge", deadline=None, max_examples=60)
settings.load_profile("knowledge")
