"""python assets/cluster/hyperqueue-cluster.py FILE FOLDER COUNT: so many workers on one sweep, two cores each.

With a running server instead of this machine, client = Client(server_dir).
"""

import sys

from hyperqueue import Job, LocalCluster
from hyperqueue.ffi.protocol import ResourceRequest

file, folder, count = sys.argv[1:]
with LocalCluster() as cluster:
    cluster.start_worker()
    client = cluster.client()
    job = Job()
    command = ["tokenfield", "sweep", file, "--out", folder, "--worker"]
    for _ in range(int(count)):
        cores, talk = ResourceRequest(cpus=2), f"{folder}.%{{TASK_ID}}.log"
        job.program(command, resources=cores, env={"RAYON_NUM_THREADS": "2"}, stdout=None, stderr=talk)
    client.wait_for_jobs([client.submit(job)])
