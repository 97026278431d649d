import sys

import requests

params = {"word": "Grüße & more", "tag": ["a", "b"], "page": 2, "left": None}
response = requests.get(f"{sys.argv[1]}/search", params=params, timeout=10)
print(response.text)
