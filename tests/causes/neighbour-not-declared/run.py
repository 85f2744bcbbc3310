import socket
import sys

try:
    socket.getaddrinfo("well", 80)
except OSError as error:
    sys.exit(f"getaddrinfo well: {error}")
