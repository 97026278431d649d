import socket
import sys

with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024) as listener:
    print("listening on tcp://%s:%d" % listener.getsockname(), flush=True)
    while True:
        connection, address = listener.accept()
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)  # send() may take a part
            connection.sendall(b"bye\n")
