import sys

import requests

url, path = sys.argv[1:]
with open(path, "rb") as file:
    files = {"document": ("notes.txt", file, "text/plain")}
    response = requests.post(f"{url}/upload", data={"title": "Notes"}, files=files, timeout=10)
print(response.status_code, response.text)
