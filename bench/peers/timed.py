# timed.py <command…>: runs it, and prints what it took as JSON: seconds, CPU of user and system, the most memory.
import json
import os
import resource
import subprocess
import sys
import time

began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(
    json.dumps(
        {
            "seconds": seconds,
            "user": used.ru_utime,
            "system": used.ru_stime,
            "residentKib": used.ru_maxrss,
        }
    )
)
sys.exit(done.returncode)
