"""The history of the schema: numbered SQL files, one history for both engines. docs/decisions/0004 says why."""
