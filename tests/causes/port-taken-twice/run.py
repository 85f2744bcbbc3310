import socket

socket.create_server(("", 8080))
first = socket.create_server(("", 8081))
second = socket.create_server(("", 8081))
