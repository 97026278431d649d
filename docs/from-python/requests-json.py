import sys

import requests

response = requests.post(f"{sys.argv[1]}/users", json={"name": "Ann", "tags": ["a", "b"]}, timeout=10)
user = response.json()
print(user["id"], user["name"], ",".join(user["tags"]))
