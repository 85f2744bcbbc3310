import time

print("waiting for nothing", flush=True)
time.sleep(60)
