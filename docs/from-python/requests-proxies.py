import sys

import requests

url, proxy = sys.argv[1:]
proxies = {"http": proxy, "https": proxy}
response = requests.get(f"{url}/behind", proxies=proxies, timeout=10)
print(response.status_code, response.text)
