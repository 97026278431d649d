import os
import sys

import requests

url, path = sys.argv[1:]
with requests.get(f"{url}/large", stream=True, timeout=10) as response:
    response.raise_for_status()
    with open(path, "wb") as file:
        for piece in response.iter_content(chunk_size=8192):
            file.write(piece)
print(os.path.getsize(path))
