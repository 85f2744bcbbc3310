import sys
import time

time.sleep(3)
print("lost the queue", flush=True)
sys.exit(9)
