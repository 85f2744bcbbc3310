import sys

print("no such table: customers", file=sys.stderr)
sys.exit(3)
