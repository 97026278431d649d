import socket
import sys

host, port = sys.argv[1].removeprefix("tcp://").split(":")
with socket.create_connection((host, int(port)), timeout=5) as connection:
    connection.sendall(b"hello\n")
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while data := connection.recv(1024):
        answer += data
sys.stdout.write(answer.decode())
