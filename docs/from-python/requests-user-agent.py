import random
import sys

import requests

url = sys.argv[1]
agents = ["Reader/1.0", "Reader/2.0", "Reader/3.0"]
seen = set()
for _ in range(60):
    headers = {"User-Agent": random.choice(agents)}
    seen.add(requests.get(f"{url}/agent", headers=headers, timeout=10).text)
print(sorted(seen) == agents)
