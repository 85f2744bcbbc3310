"""The use cases: plan, execute, restore. They know ports and model, no engine, no database, no file."""
